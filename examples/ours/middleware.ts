import { createRouteMatcher, doorwardMiddleware } from "@doorward/nextjs/server";

const isPrivate = createRouteMatcher(["/account(.*)"]);

export default doorwardMiddleware(async (auth, request) => {
  if (isPrivate(request)) await auth.protect();
});

export const config = {
  matcher: ["/((?!.+\\.[\\w]+$|_next).*)", "/", "/(api|trpc)(.*)"],
};
