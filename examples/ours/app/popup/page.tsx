import { SignIn } from "@doorward/nextjs";

export default function Page() {
  return <SignIn signUpUrl="/sign-up" redirectUrl="/account" oauthFlow="popup" />;
}
