import { clerkMiddleware } from "@clerk/nextjs/server";

// This generation wants each page and route to decide for itself who may see it:
// see getServerSideProps in pages/protected.tsx.
export default clerkMiddleware();

export const config = {
  matcher: ["/((?!.+\\.[\\w]+$|_next).*)", "/", "/(api|trpc)(.*)"],
};
