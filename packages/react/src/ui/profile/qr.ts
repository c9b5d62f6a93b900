// QR codes (ISO/IEC 18004) of short texts: bytes, the lowest level of error correction, one mask, for readers take any.

/** By version: how many bytes correct a block, and how many blocks there are. */
const levels: [number, number][] = [
  [7, 1], [10, 1], [15, 1], [20, 1], [26, 1], [18, 2], [20, 2], [24, 2], [30, 2], [18, 4], [20, 4], [24, 4], [26, 4], [30, 4], [22, 6],
];

/** The bits of a version that are not taken by its patterns. */
function rawBits(version: number): number {
  const aligned = Math.floor(version / 7) + 2;
  const bits = (16 * version + 128) * version + 64;
  if (version < 2) return bits;
  return bits - ((25 * aligned - 10) * aligned - 55) - (version < 7 ? 0 : 36);
}

/** Multiplies in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(x: number, y: number): number {
  let z = 0;
  for (let bit = 7; bit >= 0; bit -= 1) z = (z << 1) ^ ((z >>> 7) * 0x11d) ^ (((y >>> bit) & 1) * x);
  return z;
}

/** The bytes that correct a block, by Reed and Solomon. */
function correction(data: number[], count: number): number[] {
  const divisor = Array<number>(count).fill(0);
  divisor[count - 1] = 1;
  for (let n = 0, root = 1; n < count; n += 1, root = times(root, 2)) {
    for (let at = 0; at < count; at += 1) divisor[at] = times(divisor[at]!, root) ^ (divisor[at + 1] ?? 0);
  }
  const rest = Array<number>(count).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift()!;
    rest.push(0);
    divisor.forEach((it, at) => (rest[at]! ^= times(it, factor)));
  }
  return rest;
}

function codewords(bytes: Uint8Array, version: number): number[] {
  const [count, blocks] = levels[version - 1]!;
  const raw = Math.floor(rawBits(version) / 8);
  const bits: number[] = [];
  const put = (value: number, length: number) => {
    for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >>> bit) & 1);
  };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  const capacity = (raw - count * blocks) * 8;
  put(0, Math.min(4, capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) put(pad, 8);
  const data = Array.from({ length: capacity / 8 }, (_, at) => bits.slice(at * 8, at * 8 + 8).reduce((all, bit) => (all << 1) | bit, 0));

  // The first blocks are a byte shorter, where they cannot all be as long.
  const short = blocks - (raw % blocks);
  const length = Math.floor(raw / blocks) - count;
  let from = 0;
  const parts = Array.from({ length: blocks }, (_, block) => {
    const to = from + length + (block < short ? 0 : 1);
    const part = data.slice(from, to);
    from = to;
    return part;
  });
  const turns = (all: number[][], size: number) => Array.from({ length: size }, (_, at) => all.flatMap((it) => it[at] ?? [])).flat();
  return [...turns(parts, length + 1), ...turns(parts.map((it) => correction(it, count)), count)];
}

/** The dark squares of a text's code, by row and column; nothing for a text that is too long. */
export function qr(text: string): boolean[][] | undefined {
  const bytes = new TextEncoder().encode(text);
  const fits = ([count, blocks]: [number, number], at: number) => Math.floor(rawBits(at + 1) / 8) - count * blocks >= bytes.length + (at < 9 ? 2 : 3);
  const version = levels.findIndex(fits) + 1;
  if (!version) return undefined;
  const size = version * 4 + 17;
  const dark = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const taken = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const set = (x: number, y: number, it: boolean) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    dark[y]![x] = it;
    taken[y]![x] = true;
  };

  for (let at = 0; at < size; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const square = (x: number, y: number, radius: number) => {
    for (let dy = -radius; dy <= radius; dy += 1) {
      for (let dx = -radius; dx <= radius; dx += 1) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        set(x + dx, y + dy, radius === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
      }
    }
  };
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]] as const) square(x, y, 4);
  const aligned = version === 1 ? 0 : Math.floor(version / 7) + 2;
  const apart = Math.floor((version * 8 + aligned * 3 + 5) / (aligned * 4 - 4)) * 2;
  const places = Array.from({ length: aligned }, (_, at) => (at === 0 ? 6 : size - 7 - (aligned - 1 - at) * apart));
  for (const y of places) {
    for (const x of places) {
      const corner = (x === 6 && y === 6) || (x === 6 && y === size - 7) || (x === size - 7 && y === 6);
      if (!corner) square(x, y, 2);
    }
  }

  // Level L and mask 0, with their own correction.
  const format = 0x77c4;
  const bit = (value: number, at: number) => ((value >>> at) & 1) === 1;
  for (let at = 0; at < 15; at += 1) {
    const it = bit(format, at);
    set(8, at < 6 ? at : at < 8 ? at + 1 : size - 15 + at, it);
    set(at < 8 ? size - 1 - at : at === 8 ? 7 : 14 - at, 8, it);
  }
  set(8, size - 8, true);
  if (version >= 7) {
    let rest = version;
    for (let n = 0; n < 12; n += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
    const all = (version << 12) | rest;
    for (let at = 0; at < 18; at += 1) {
      const [near, far] = [Math.floor(at / 3), size - 11 + (at % 3)];
      set(far, near, bit(all, at));
      set(near, far, bit(all, at));
    }
  }

  const words = codewords(bytes, version);
  let next = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let n = 0; n < size; n += 1) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - n : n;
      for (const x of [right, right - 1]) {
        if (taken[y]![x]) continue;
        const it = next < words.length * 8 && bit(words[next >>> 3]!, 7 - (next & 7));
        dark[y]![x] = it !== ((x + y) % 2 === 0);
        next += 1;
      }
    }
  }
  return dark;
}
