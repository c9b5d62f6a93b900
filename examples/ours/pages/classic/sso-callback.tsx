import { AuthenticateWithRedirectCallback } from "@doorward/nextjs";

export default function Page() {
  return <AuthenticateWithRedirectCallback afterSignInUrl="/protected" afterSignUpUrl="/protected" />;
}
