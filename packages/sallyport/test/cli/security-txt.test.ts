// `sallyport posture security-txt`: the file, signed by a real gpg, and the check of it.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { listening } from '../kinds/listen.ts'
import { directory, run } from './command.ts'

const DAY_MS = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().replace(/\.\d+Z$/, 'Z')
const FIELDS = {
  contact: ['mailto:security@example.com'],
  expires: inDays(200),
  canonical: ['https://api.example.com/.well-known/security.txt'],
}

const policyOf = (securityTxt: object, more: object = {}) => ({
  'sallyport.config.json': JSON.stringify({ extends: 'api', disclosure: { securityTxt, ...more } }),
})

const skip = spawnSync('gpg', ['--version']).error ? 'gpg is missing: apt-get install gpg' : false

/** A keyring of its own with one key; its folder's name is short, since gpg puts a socket there. */
function keyring(context: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'gpg-'))
  const gpg = (...words: readonly string[]) =>
    execFileSync('gpg', ['--batch', '--homedir', home, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  context.after(() => {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'])
    rmSync(home, { recursive: true, force: true })
  })
  gpg(
    '--passphrase',
    '',
    '--quick-generate-key',
    'Security <security@example.com>',
    'ed25519',
    'sign',
    'never',
  )
  return {
    environment: { GNUPGHOME: home },
    publicKey: gpg('--armor', '--export', 'security@example.com'),
    fingerprint: /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--with-colons', '--fingerprint'))![1]!,
  }
}

describe('posture security-txt', () => {
  it('D20 is signed by gpg, goes into the policy, and is checked by the key that the policy publishes', {
    skip,
  }, async (context) => {
    const { environment, publicKey, fingerprint } = keyring(context)
    const cwd = directory(context, policyOf(FIELDS, { pgpKey: publicKey }))
    const signing = await run(
      context,
      cwd,
      ['posture', 'security-txt', '--sign', fingerprint, '--out', 'signed.txt'],
      environment,
    )
    assert.equal(signing.code, 0, signing.err)
    assert.match(signing.err, /wrote signed\.txt\n.*disclosure\.securityTxt\.signed/s)
    const signed = readFileSync(join(cwd, 'signed.txt'), 'utf8')
    assert.match(
      signed,
      /^-----BEGIN PGP SIGNED MESSAGE-----\n[\s\S]*\nContact: mailto:security@example\.com\n/,
    )
    const policy = policyOf({ ...FIELDS, signed }, { pgpKey: publicKey })
    writeFileSync(join(cwd, 'sallyport.config.json'), policy['sallyport.config.json'])
    // No key of the user's own is asked.
    const good = await run(context, cwd, ['posture', 'security-txt', '--check'], {
      GNUPGHOME: join(cwd, 'none'),
    })
    assert.deepEqual([good.code, good.err], [0, ''])
    assert.match(good.out, new RegExp(`^note: the signature is by ${fingerprint}$`, 'm'))
    assert.match(good.out, /^security\.txt: every field holds$/m)

    writeFileSync(join(cwd, 'changed.txt'), signed.replace('security@example.com', 'evil@example.com'))
    writeFileSync(join(cwd, 'key.asc'), publicKey)
    const changed = await run(context, cwd, [
      'posture',
      'security-txt',
      'changed.txt',
      '--check',
      '--key',
      'key.asc',
    ])
    assert.equal(changed.code, 1)
    assert.match(
      changed.err,
      /the signature does not hold: the text is not the one that was signed; sign again/,
    )
    const other = keyring(context)
    writeFileSync(join(cwd, 'other.asc'), other.publicKey)
    const stranger = await run(context, cwd, [
      'posture',
      'security-txt',
      'signed.txt',
      '--check',
      '--key',
      'other.asc',
    ])
    assert.equal(stranger.code, 1)
    assert.match(stranger.err, /the signature does not hold: it is by another key/)
    const unasked = await run(context, cwd, ['posture', 'security-txt', 'signed.txt', '--check'])
    assert.match(
      unasked.out,
      /^note: the signature was not checked; name the key of the signer with --key FILE$/m,
    )
    const broken = await run(context, cwd, [
      'posture',
      'security-txt',
      'signed.txt',
      '--check',
      '--key',
      'signed.txt',
    ])
    assert.equal(broken.code, 2)
    assert.match(broken.err, /the key for reports is none that gpg reads .*gpg --armor --export\n$/)
  })

  it('says in one line why it can’t sign', { skip }, async (context) => {
    const home = mkdtempSync(join(tmpdir(), 'gpg-'))
    context.after(() => {
      spawnSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'])
      rmSync(home, { recursive: true, force: true })
    })
    const cwd = directory(context, policyOf(FIELDS))
    const environment = { GNUPGHOME: home }
    const nobody = await run(
      context,
      cwd,
      ['posture', 'security-txt', '--sign', '0123456789ABCDEF'],
      environment,
    )
    assert.equal(nobody.code, 2)
    assert.match(
      nobody.err,
      /^sallyport: --sign 0123456789ABCDEF: gpg can't sign with it \(.*\); gpg --list-secret-keys .*\n$/,
    )
    const option = await run(context, cwd, ['posture', 'security-txt', '--sign=--output=/tmp/x'], environment)
    assert.match(option.err, /^sallyport: --sign: expected the id of a key, received "--output/)
    const none = await run(context, cwd, ['posture', 'security-txt', '--sign', 'A'], { PATH: cwd })
    assert.deepEqual(
      [none.code, none.err],
      [2, 'sallyport: gpg is not installed; install GnuPG (Debian: apt-get install gpg)\n'],
    )
  })

  it('D20 a check names every field that does not hold', async (context) => {
    const cwd = directory(context, {
      'good.txt': `Contact: mailto:a@example.com\nExpires: ${inDays(100)}\n`,
      'old.txt': 'Contact: mailto:a@example.com\nExpires: 2020-01-01T00:00:00Z\n',
      'empty.txt': '# nothing\n',
      'twice.txt': `Contact: http://example.com\nExpires: ${inDays(9)}\nExpires: ${inDays(10)}\n`,
    })
    const checked = async (file: string) => run(context, cwd, ['posture', 'security-txt', file, '--check'])
    const good = await checked('good.txt')
    assert.equal(good.code, 0)
    assert.match(good.out, /^note: it is not signed, which RFC 9116 advises/)
    const lines = async (file: string) => {
      const { code, err } = await checked(file)
      assert.equal(code, 1)
      return err
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(`${file}: `, '').split(';')[0])
    }
    assert.deepEqual(await lines('old.txt'), ['Expires: ended at 2020-01-01T00:00:00Z'])
    assert.deepEqual(await lines('empty.txt'), ['Contact: is missing', 'Expires: is missing'])
    assert.deepEqual(await lines('twice.txt'), [
      'Expires: stands more than once',
      'Contact: "http://example.com" is no URI, or not https',
    ])
  })

  it('D20 a served file must name the place where it is served', async (context) => {
    const cwd = directory(context)
    let text = ''
    const app = await listening(
      createServer((_request, response) =>
        response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(text),
      ),
    )
    context.after(() => app.close())
    const url = `http://127.0.0.1:${app.port}`
    const place = `${url}/.well-known/security.txt`
    text = `Contact: mailto:a@example.com\nExpires: ${inDays(100)}\nCanonical: https://other.example/.well-known/security.txt\n`
    const elsewhere = await run(context, cwd, ['posture', 'security-txt', url, '--check'])
    assert.equal(elsewhere.code, 1)
    assert.ok(
      elsewhere.err.includes(
        `Canonical: does not name ${place}, from where it came; add Canonical: ${place}`,
      ),
    )
    const gone = await run(context, cwd, ['posture', 'security-txt', 'http://127.0.0.1:1/x.txt', '--check'])
    assert.equal(gone.code, 2)
  })

  it('is written as the policy has it, and its options are about nothing else', async (context) => {
    const cwd = directory(context, policyOf(FIELDS))
    const { out, code } = await run(context, cwd, ['posture', 'security-txt'])
    assert.equal(code, 0)
    assert.match(out, /^Contact: mailto:security@example\.com\nExpires: /)
    const page = await run(context, cwd, ['posture', '--sign', 'A'])
    assert.deepEqual(
      [page.code, page.err],
      [2, 'sallyport: --sign: is about security.txt; write sallyport posture security-txt --sign\n'],
    )
    const none = directory(context, { 'sallyport.config.json': '{}' })
    const missing = await run(context, none, ['posture', 'security-txt'])
    assert.match(missing.err, /^sallyport: disclosure\.securityTxt: the policy has none; write disclosure: /)
  })
})
