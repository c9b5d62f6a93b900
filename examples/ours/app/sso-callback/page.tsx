import { AuthenticateWithRedirectCallback } from "@doorward/nextjs";

export default function Page() {
  return <AuthenticateWithRedirectCallback afterSignInUrl="/account" afterSignUpUrl="/account" />;
}
