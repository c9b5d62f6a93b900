import assert from "node:assert/strict";
import { it } from "node:test";
import jsQR from "jsqr";
import { qr } from "../dist/ui/profile/qr.js";

/** Draws it as a camera would see it, with the margin that readers need. */
function drawn(modules, scale = 3, margin = 4) {
  const size = (modules.length + 2 * margin) * scale;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const dark = modules[Math.floor(y / scale) - margin]?.[Math.floor(x / scale) - margin];
      if (dark) pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
    }
  }
  return jsQR(pixels, size, size)?.data;
}

it("a reader reads what was written, in codes of every size", () => {
  const whole = `otpauth://totp/Doorward:ada%40example.com?secret=${"JBSWY3DPEHPK3PXP".repeat(30)}`;
  for (let length = 1; length <= 520; length += 13) assert.equal(drawn(qr(whole.slice(0, length))), whole.slice(0, length), `${length} bytes`);
});

it("a text that is too long has none", () => {
  assert.equal(qr("x".repeat(600)), undefined);
});
