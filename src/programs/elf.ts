/** The head of an ELF file, elf(5): enough to tell why the kernel would not run it. */
import { arch } from 'node:os';
import { decodeBytes } from '../host/bytes.ts';
import { exists } from './project.ts';
import { quote } from './quote.ts';

export interface Elf {
  readonly type: number;
  readonly machine: number;
  /** The program that loads it (PT_INTERP); null for a static one, or where it lies beyond the head. */
  readonly loader: string | null;
}

const types: Readonly<Record<number, string>> = { 1: 'an object file', 4: 'a core dump' };

/** Machines by number, with Node's names of those that run them: a 64-bit x86 or ARM kernel mostly runs its 32-bit kin, too. */
const machines: Readonly<Record<number, { readonly name: string; readonly on: readonly string[] }>> = {
  3: { name: '32-bit x86', on: ['ia32', 'x64'] },
  8: { name: 'MIPS', on: ['mips', 'mipsel', 'mips64', 'mips64el'] },
  20: { name: '32-bit PowerPC', on: ['ppc', 'ppc64'] },
  21: { name: '64-bit PowerPC', on: ['ppc64'] },
  22: { name: 'S/390', on: ['s390', 's390x'] },
  40: { name: '32-bit ARM', on: ['arm', 'arm64'] },
  62: { name: '64-bit x86', on: ['x64'] },
  183: { name: '64-bit ARM', on: ['arm64'] },
  243: { name: 'RISC-V', on: ['riscv64'] },
  258: { name: 'LoongArch', on: ['loong64'] },
};

/** An ELF header and its program headers as far as they lie in `head`; null if it is no ELF file. */
export function parseElf(head: Buffer): Elf | null {
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return null;
  const read = new Fields(head, head[5] === 1, head[4] === 2);
  return { type: read.half(16), machine: read.half(18), loader: loaderOf(head, read) };
}

/** Why the kernel of this machine would not run it, or null. */
export async function whyElfFails({ type, machine, loader }: Elf): Promise<string | null> {
  if (Object.hasOwn(types, type)) return `it is ${types[type]}, no program`;
  const known = machines[machine];
  if (known !== undefined && !known.on.includes(arch()))
    return `it is built for ${known.name}, this machine is ${arch()}`;
  if (loader !== null && !(await exists(loader))) {
    return `its loader ${quote(loader)} does not exist: it is built for another system (musl, glibc, 32 bit)`;
  }
  return null;
}

function loaderOf(head: Buffer, read: Fields): string | null {
  const { is64 } = read;
  const offset = read.word(is64 ? 32 : 28);
  const size = read.half(is64 ? 54 : 42);
  const count = read.half(is64 ? 56 : 44);
  for (let at = offset; at < offset + size * count && at + (is64 ? 56 : 32) <= head.length; at += size) {
    if (read.int(at) !== interpreterHeader) continue;
    const from = read.word(at + (is64 ? 8 : 4));
    const to = from + read.word(at + (is64 ? 32 : 16));
    return to <= head.length && to > from ? decodeBytes(head.subarray(from, to - 1)) : null;
  }
  return null;
}

const interpreterHeader = 3;

class Fields {
  readonly #bytes: Buffer;
  readonly #isLittle: boolean;
  readonly is64: boolean;

  constructor(bytes: Buffer, isLittle: boolean, is64: boolean) {
    this.#bytes = bytes;
    this.#isLittle = isLittle;
    this.is64 = is64;
  }

  half(at: number): number {
    if (at + 2 > this.#bytes.length) return 0;
    return this.#isLittle ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  int(at: number): number {
    return this.#isLittle ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** An address or offset: 8 bytes in a 64-bit file, 4 in another. */
  word(at: number): number {
    if (!this.is64) return this.int(at);
    if (at + 8 > this.#bytes.length) return 0;
    return Number(this.#isLittle ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at));
  }
}
