export { type UseSignInReturn, type UseSignUpReturn, useSignIn, useSignUp } from "@doorward/react/legacy";
