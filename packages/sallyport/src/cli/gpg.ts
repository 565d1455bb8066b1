// OpenPGP by the gpg that is installed: it signs with a key of the user's, and checks with no key but the one given.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { show } from '../policy/problem.ts'
import type { Terminal } from './command.ts'
import { Failure } from './failure.ts'

const MAX_BYTES = 4_194_304

/** Clear-signs a text. @throws Failure where gpg is not there, or can't */
export function clearSign(
  text: string,
  keyId: string,
  { environment }: Pick<Terminal, 'environment'>,
): string {
  // An id, a fingerprint, or a part of a name; nothing that gpg could read as an option.
  if (!/^[\p{L}\p{N}@<>.+_ ][\p{L}\p{N}@<>.+_ -]{0,200}!?$/u.test(keyId))
    throw new Failure(
      `--sign: expected the id of a key, received ${show(keyId)}; gpg --list-secret-keys lists them`,
    )
  const done = gpg(['--batch', '--armor', '--local-user', keyId, '--clear-sign'], text, environment)
  if (done.code !== 0 || !done.out.startsWith('-----BEGIN PGP SIGNED MESSAGE-----'))
    throw new Failure(
      `--sign ${keyId}: gpg can't sign with it (${done.reason}); gpg --list-secret-keys lists the keys, and a passphrase is asked for by gpg-agent`,
    )
  return done.out
}

/** What a check of a signature came to. */
export type SignatureCheck =
  /** `text` is what was signed, as gpg reads it. */
  | { readonly valid: true; readonly fingerprint: string; readonly text: string }
  | { readonly valid: false; readonly because: string }

/** Checks a clear-signed text against one key, in a keyring of its own. @throws Failure where gpg is not there, or the key is none */
export function checkSignature(
  text: string,
  key: string,
  { environment }: Pick<Terminal, 'environment'>,
): SignatureCheck {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-gpg-'))
  const own = ['--batch', '--no-options', '--no-autostart', '--homedir', home]
  try {
    const file = join(home, 'key.asc')
    writeFileSync(file, key)
    const imported = gpg([...own, '--import', file], '', environment)
    if (imported.code !== 0)
      throw new Failure(
        `the key for reports is none that gpg reads (${imported.reason}); give the output of gpg --armor --export`,
      )
    const { out, err } = gpg(
      [...own, '--status-fd', '2', '--trust-model', 'always', '--decrypt'],
      text,
      environment,
    )
    const status = err.split('\n').filter((line) => line.startsWith('[GNUPG:] '))
    const of = (word: string) => status.find((line) => line.startsWith(`[GNUPG:] ${word} `))
    // VALIDSIG alone also stands for keys that have expired or were revoked.
    const fingerprint = of('VALIDSIG')?.split(' ')[2]
    if (fingerprint !== undefined && of('GOODSIG') !== undefined && of('BADSIG') === undefined)
      return { valid: true, fingerprint, text: out }
    if (of('BADSIG') !== undefined)
      return { valid: false, because: 'the text is not the one that was signed' }
    if (of('EXPKEYSIG') !== undefined || of('REVKEYSIG') !== undefined || of('EXPSIG') !== undefined)
      return { valid: false, because: 'its key has expired or was revoked' }
    if (of('NO_PUBKEY') !== undefined) return { valid: false, because: 'it is by another key' }
    return { valid: false, because: 'it is no signature that gpg reads' }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function gpg(
  words: readonly string[],
  input: string,
  environment: Terminal['environment'],
): { readonly code: number | null; readonly out: string; readonly err: string; readonly reason: string } {
  const done = spawnSync('gpg', words, {
    input,
    encoding: 'utf8',
    maxBuffer: MAX_BYTES,
    timeout: 120_000,
    env: { ...environment, LC_ALL: 'C' },
  })
  if (done.error)
    throw new Failure(
      (done.error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'gpg is not installed; install GnuPG (Debian: apt-get install gpg)'
        : `gpg can't be run (${(done.error as NodeJS.ErrnoException).code})`,
    )
  const reason = done.stderr
    .split('\n')
    .findLast((line) => /^gpg: /.test(line))
    ?.replace(/^gpg: /, '')
    .slice(0, 200)
  return {
    code: done.status,
    out: done.stdout,
    err: done.stderr,
    reason: reason ?? `exit code ${done.status}`,
  }
}
