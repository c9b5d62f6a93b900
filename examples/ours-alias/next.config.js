/** @type {import("next").NextConfig} */
module.exports = {
  reactStrictMode: true,
  // NEXT_PUBLIC_* values are compiled in, so one checkout can only hold builds
  // for several keys if each has a directory of its own.
  distDir: process.env.NEXT_DIST_DIR || ".next",
};
