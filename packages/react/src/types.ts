/** What a page may still want to know when the name it uses is not listed here. */
type OpenString<Known extends string> = Known | (string & {});

export type SignInStatus = "needs_identifier" | "needs_first_factor" | "needs_second_factor" | "needs_client_trust" | "needs_new_password" | "complete" | "abandoned";
export type SignUpStatus = "missing_requirements" | "complete" | "abandoned";
export type SessionStatus = "active" | "pending" | "abandoned" | "ended" | "expired" | "removed" | "replaced" | "revoked";
export type VerificationStatus = "unverified" | "verified" | "transferable" | "failed" | "expired";
export type OAuthStrategy = `oauth_${string}`;
export type FirstFactorStrategy = OpenString<"password" | "email_code" | "email_link" | "phone_code" | "passkey" | "ticket" | "enterprise_sso" | "reset_password_email_code" | "reset_password_phone_code" | OAuthStrategy>;
export type SecondFactorStrategy = OpenString<"totp" | "backup_code" | "phone_code" | "email_code">;

export interface Factor<Strategy extends string = string> {
  strategy: Strategy;
  safeIdentifier?: string;
  emailAddressId?: string;
  phoneNumberId?: string;
  web3WalletId?: string;
  primary?: boolean;
  default?: boolean;
}

export type SignInFirstFactor = Factor<FirstFactorStrategy>;
export type SignInSecondFactor = Factor<SecondFactorStrategy>;

export interface VerificationResource {
  status: VerificationStatus | null;
  strategy: string | null;
  attempts: number | null;
  expireAt: Date | null;
  error: { code: string; message: string; longMessage?: string; meta?: Record<string, unknown> } | null;
  nonce: string | null;
  message: string | null;
  externalVerificationRedirectURL: URL | null;
  verifiedAtClient: string | null;
  /** Sign-ups only. */
  nextAction?: "needs_prepare" | "needs_attempt" | "";
  supportedStrategies?: string[];
}

export interface UserData {
  firstName?: string | null;
  lastName?: string | null;
  imageUrl?: string;
  hasImage?: boolean;
}

export interface SignInCreateParams {
  identifier?: string;
  password?: string;
  strategy?: FirstFactorStrategy;
  ticket?: string;
  token?: string;
  transfer?: boolean;
  redirectUrl?: string;
  actionCompleteRedirectUrl?: string;
}

export interface PrepareFirstFactorParams {
  strategy: FirstFactorStrategy;
  emailAddressId?: string;
  phoneNumberId?: string;
  web3WalletId?: string;
  redirectUrl?: string;
  actionCompleteRedirectUrl?: string;
}

export interface AttemptFirstFactorParams {
  strategy: FirstFactorStrategy;
  password?: string;
  code?: string;
  signature?: string;
  publicKeyCredential?: unknown;
}

export interface PrepareSecondFactorParams {
  strategy: SecondFactorStrategy;
  phoneNumberId?: string;
  emailAddressId?: string;
}

export interface AttemptSecondFactorParams {
  strategy: SecondFactorStrategy;
  code: string;
}

export interface ResetPasswordParams {
  password: string;
  signOutOfOtherSessions?: boolean;
}

export interface RedirectParams {
  strategy: OAuthStrategy | "enterprise_sso";
  redirectUrl: string;
  redirectUrlComplete: string;
  identifier?: string;
}

export interface PopupParams extends RedirectParams {
  /** A window that was opened for it, when somebody pressed something: `window.open("about:blank")`. */
  popup: Window;
}

export interface SignInFields {
  id?: string;
  status: SignInStatus | null;
  supportedIdentifiers: string[];
  supportedFirstFactors: SignInFirstFactor[] | null;
  supportedSecondFactors: SignInSecondFactor[] | null;
  firstFactorVerification: VerificationResource;
  secondFactorVerification: VerificationResource;
  identifier: string | null;
  createdSessionId: string | null;
  userData: UserData;
}

export interface SignUpParams {
  emailAddress?: string;
  phoneNumber?: string;
  username?: string;
  web3Wallet?: string;
  firstName?: string;
  lastName?: string;
  password?: string;
  unsafeMetadata?: Record<string, unknown>;
  legalAccepted?: boolean;
  strategy?: string;
  ticket?: string;
  token?: string;
  transfer?: boolean;
  redirectUrl?: string;
  actionCompleteRedirectUrl?: string;
}

export interface PrepareVerificationParams {
  strategy: OpenString<"email_code" | "email_link" | "phone_code">;
  redirectUrl?: string;
}

export interface AttemptVerificationParams {
  strategy: OpenString<"email_code" | "phone_code">;
  code?: string;
  signature?: string;
}

export type SignUpField = OpenString<"email_address" | "phone_number" | "username" | "first_name" | "last_name" | "password" | "legal_accepted">;

export interface SignUpVerifications {
  emailAddress: VerificationResource;
  phoneNumber: VerificationResource;
  web3Wallet: VerificationResource;
  externalAccount: VerificationResource;
}

export interface SignUpFields {
  id?: string;
  status: SignUpStatus | null;
  requiredFields: SignUpField[];
  optionalFields: SignUpField[];
  missingFields: SignUpField[];
  unverifiedFields: SignUpField[];
  verifications: SignUpVerifications;
  username: string | null;
  firstName: string | null;
  lastName: string | null;
  emailAddress: string | null;
  phoneNumber: string | null;
  hasPassword: boolean;
  unsafeMetadata: Record<string, unknown>;
  createdSessionId: string | null;
  createdUserId: string | null;
  abandonAt: number | null;
  legalAcceptedAt: number | null;
}

export interface EmailLinkParams {
  /** Where the link leads, once it has proved the address. */
  redirectUrl: string;
}

export type VerificationLevel = OpenString<"first_factor" | "second_factor" | "multi_factor">;

export interface SessionVerification {
  status: "needs_first_factor" | "needs_second_factor" | "complete";
  level: VerificationLevel;
  supportedFirstFactors: SignInFirstFactor[] | null;
  supportedSecondFactors: SignInSecondFactor[] | null;
  firstFactorVerification: VerificationResource;
  secondFactorVerification: VerificationResource;
}

export interface EmailAddressFields {
  id: string;
  emailAddress: string;
  verification: VerificationResource;
  linkedTo: { id: string; type: string }[];
}

export interface PhoneNumberFields {
  id: string;
  phoneNumber: string;
  reservedForSecondFactor: boolean;
  defaultSecondFactor: boolean;
  verification: VerificationResource;
  linkedTo: { id: string; type: string }[];
  /** A first set, only where this number has just become the first second factor. */
  backupCodes?: string[];
}

export interface PasskeyFields {
  id: string;
  name: string | null;
  verification: VerificationResource;
  lastUsedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface ExternalAccountFields {
  id: string;
  provider: string;
  providerUserId: string;
  identificationId: string;
  approvedScopes: string;
  emailAddress: string;
  firstName: string;
  lastName: string;
  username: string | null;
  imageUrl: string | null;
  label: string | null;
  publicMetadata: Record<string, unknown>;
  verification: VerificationResource;
}

export interface Web3WalletFields {
  id: string;
  web3Wallet: string;
  verification: VerificationResource;
}

export interface TOTPResource {
  id: string;
  /** There once, when it is made. */
  secret?: string;
  uri?: string;
  verified: boolean;
  backupCodes?: string[];
  createdAt: Date | null;
  updatedAt: Date | null;
}

export interface BackupCodeResource {
  id: string;
  codes: string[];
  createdAt: Date | null;
  updatedAt: Date | null;
}

export interface DeletedObject {
  object: string;
  id?: string;
  slug?: string;
  deleted: boolean;
}

export interface ImageResource {
  id?: string;
  name: string | null;
  publicUrl: string | null;
}

export interface UserFields {
  id: string;
  externalId: string | null;
  username: string | null;
  firstName: string | null;
  lastName: string | null;
  imageUrl: string;
  hasImage: boolean;
  primaryEmailAddressId: string | null;
  primaryPhoneNumberId: string | null;
  primaryWeb3WalletId: string | null;
  passwordEnabled: boolean;
  twoFactorEnabled: boolean;
  totpEnabled: boolean;
  backupCodeEnabled: boolean;
  deleteSelfEnabled: boolean;
  publicMetadata: Record<string, unknown>;
  unsafeMetadata: Record<string, unknown>;
  lastSignInAt: Date | null;
  legalAcceptedAt: Date | null;
  createdAt: Date | null;
  updatedAt: Date | null;
}

export interface UpdateUserParams {
  username?: string | null;
  firstName?: string | null;
  lastName?: string | null;
  primaryEmailAddressId?: string;
  primaryPhoneNumberId?: string;
  primaryWeb3WalletId?: string;
  unsafeMetadata?: Record<string, unknown>;
}

export interface UpdatePasswordParams {
  newPassword: string;
  /** Of those who have one. */
  currentPassword?: string;
  signOutOfOtherSessions?: boolean;
}

export interface ExternalAccountParams {
  strategy?: OAuthStrategy;
  redirectUrl: string;
  additionalScopes?: string[];
  oidcPrompt?: string;
  oidcLoginHint?: string;
}

/** What has to be done before a session is active. */
export interface SessionTask {
  key: OpenString<"reset-password" | "setup-mfa">;
}

export interface SessionFields {
  id: string;
  status: SessionStatus;
  expireAt: Date;
  abandonAt: Date;
  lastActiveAt: Date;
  lastActiveOrganizationId: string | null;
  lastActiveToken: { jwt: string } | null;
  actor: { sub: string; [claim: string]: unknown } | null;
  tasks: SessionTask[] | null;
  factorVerificationAge: [number, number] | null;
  publicUserData: { firstName: string | null; lastName: string | null; imageUrl: string; hasImage: boolean; identifier: string; userId?: string };
  createdAt: Date;
  updatedAt: Date;
}

export interface SessionActivity {
  id: string;
  deviceType: string | null;
  isMobile: boolean;
  browserName: string | null;
  browserVersion: string | null;
  ipAddress: string | null;
  city: string | null;
  country: string | null;
}

export interface SessionWithActivitiesFields {
  id: string;
  status: SessionStatus;
  expireAt: Date;
  abandonAt: Date;
  lastActiveAt: Date;
  actor: { sub: string; [claim: string]: unknown } | null;
  latestActivity: SessionActivity;
}

export interface GetTokenOptions {
  template?: string;
  skipCache?: boolean;
  organizationId?: string;
}

export type GetToken = (options?: GetTokenOptions) => Promise<string | null>;

export interface HasParams {
  role?: string;
  permission?: string;
}
