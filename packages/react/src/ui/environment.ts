"use client";
import { useEffect, useState } from "react";
import { camel } from "../camel.js";
import { useDoorwardContext } from "../context.js";
import type { Doorward } from "../doorward.js";
import type { OAuthStrategy } from "../types.js";

export interface Attribute {
  enabled: boolean;
  required: boolean;
  /** Whether somebody who signs in can be named by it. */
  usedForFirstFactor: boolean;
  firstFactors: string[];
  secondFactors: string[];
  verifications: string[];
}

type AttributeName = "emailAddress" | "phoneNumber" | "username" | "firstName" | "lastName" | "password" | "authenticatorApp" | "backupCode" | "passkey" | "web3Wallet";

/** What the instance offers, as far as screens of ours ask. */
export interface Offers {
  attributes: Partial<Record<AttributeName, Attribute>>;
  social: { strategy: OAuthStrategy; name: string }[];
  legalConsent: boolean;
  /** Whether passkeys are offered in the field for who it is. */
  passkeyAutofill: boolean;
  /** The app's client at Google, where people sign in by it. */
  googleClientId?: string;
}

interface Settings {
  attributes?: Offers["attributes"];
  social?: Record<string, { enabled?: boolean; authenticatable?: boolean; strategy: OAuthStrategy; name?: string }>;
  signUp?: { legalConsentEnabled?: boolean };
  passkeySettings?: { allowAutofill?: boolean };
}

function offersOf(json: unknown): Offers {
  const { userSettings, displayConfig } = camel(json) as { userSettings?: Settings; displayConfig?: { googleOneTapClientId?: string | null } };
  const { attributes = {}, social = {}, signUp, passkeySettings } = userSettings ?? {};
  return {
    attributes,
    social: Object.values(social)
      .filter((it) => it.enabled && it.authenticatable)
      .map(({ strategy, name }) => ({ strategy, name: name ?? strategy.replace(/^oauth_/, "") })),
    legalConsent: signUp?.legalConsentEnabled ?? false,
    passkeyAutofill: passkeySettings?.allowAutofill ?? false,
    googleClientId: displayConfig?.googleOneTapClientId ?? undefined,
  };
}

/** How long an answer is waited for, in milliseconds: forms show nothing meanwhile. */
const patience = 5000;

const asked = new WeakMap<Doorward, Promise<Offers>>();

/** Asks once; where there was no answer, the next screen asks again. Only screens want to know, so the core does not load it. */
export function environment(doorward: Doorward): Promise<Offers> {
  let offers = asked.get(doorward);
  if (!offers) {
    offers = fetch(new URL(`${doorward.frontend}/v1/environment`, location.href), { credentials: "include", signal: AbortSignal.timeout(patience) }).then(async (answer) => {
      if (!answer.ok) throw new Error(`Doorward: the environment is not there (${answer.status})`);
      return offersOf(await answer.json());
    });
    asked.set(doorward, offers);
    offers.catch(() => asked.delete(doorward));
  }
  return offers;
}

const usually = (by: string): Attribute => ({ enabled: true, required: true, usedForFirstFactor: true, firstFactors: [by], secondFactors: [], verifications: [by] });

/** What most instances offer: what forms go by when this one does not say. */
export const usual: Offers = { attributes: { emailAddress: usually("email_code"), password: usually("password") }, social: [], legalConsent: false, passkeyAutofill: false };

/** For screens that offer nothing that is not known to be there. */
export const nothing: Offers = { attributes: {}, social: [], legalConsent: false, passkeyAutofill: false };

/** What the instance offers; nothing until it is known, and `otherwise` if it does not say. */
export function useOffers(otherwise: Offers): Offers | undefined {
  const { doorward } = useDoorwardContext();
  const [offers, setOffers] = useState<Offers>();
  useEffect(() => {
    let wanted = true;
    environment(doorward)
      .catch(() => otherwise)
      .then((found) => wanted && setOffers(found));
    return () => void (wanted = false);
  }, [doorward, otherwise]);
  return offers;
}
