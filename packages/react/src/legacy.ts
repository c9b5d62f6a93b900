// Under this name the newer official packages keep the shape that is ours by default.
export { type UseSignInReturn, type UseSignUpReturn, useSignIn, useSignUp } from "./hooks.js";
