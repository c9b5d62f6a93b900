import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { apps } from "../lib/config.mjs";

const read = (version, path) => readFileSync(join(apps[version].directory, path), "utf8");

// What the three stories show about the SDKs holds only as long as they are
// told about the same pages.
for (const page of ["pages/index.tsx", "pages/signin.tsx"]) {
  test(`${page} differs between the generations in one import`, () => {
    const original = read("v4", page);
    assert.equal(read("v6", page), original);
    assert.equal(read("v7", page), original.replace(`from "@clerk/nextjs"`, `from "@clerk/nextjs/legacy"`));
  });
}

for (const file of ["pages/protected.tsx", "pages/api/me.ts", "components/Header.tsx", "styles/app.css", "next.config.js"]) {
  test(`${file} is the same in every generation`, () => {
    for (const version of ["v6", "v7"]) assert.equal(read(version, file), read("v4", file));
  });
}
