import { SignUp } from "@doorward/nextjs";

export default function Page() {
  return <SignUp signInUrl="/sign-in" redirectUrl="/account" />;
}
