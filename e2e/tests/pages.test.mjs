import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { apps } from "../lib/config.mjs";

const read = (version, path) => readFileSync(join(apps[version].directory, path), "utf8");

// The two examples of the page that started the project, without their white space.
const examples = {
  "pages/index.tsx": "46f377fb16d96b53fe474ca7ec1d91e6c12f8149a2c91d4e52664d198189d3a3",
  "pages/signin.tsx": "9253fd08bffbe89d872046ed2ca5922010b1a2c1ca348537b81702ab3bc29315",
};

for (const [page, digest] of Object.entries(examples)) {
  test(`${page} is the documented example, token for token`, () => {
    const tokens = read("v4", page).replace(/\s+/g, "");
    assert.equal(createHash("sha256").update(tokens).digest("hex"), digest);
  });
}

// What the three stories show about the SDKs holds only as long as they are
// told about the same pages.
for (const page of ["pages/index.tsx", "pages/signin.tsx", "pages/hooks/sign-in.tsx", "pages/hooks/sign-up.tsx"]) {
  test(`${page} differs between the generations in one import`, () => {
    const original = read("v4", page);
    assert.equal(read("v6", page), original);
    assert.equal(read("v7", page), original.replace(`from "@clerk/nextjs"`, `from "@clerk/nextjs/legacy"`));
  });
}

for (const file of ["pages/protected.tsx", "pages/api/me.ts", "components/Header.tsx", "styles/app.css", "next.config.js", "pages/hooks/sessions.tsx", "pages/hooks/verify.tsx"]) {
  test(`${file} is the same in every generation`, () => {
    for (const version of ["v6", "v7"]) assert.equal(read(version, file), read("v4", file));
  });
}

for (const file of ["pages/hooks/reverification.tsx", "pages/api/transfer.ts"]) {
  test(`${file} is the same in the two generations that have the hook`, () => assert.equal(read("v7", file), read("v6", file)));
}
