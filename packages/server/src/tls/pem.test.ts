import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { certificate, type Made } from '../../test/certificates.ts'
import { namesOf } from './names.ts'
import { loadAuthorities, loadPair } from './pem.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const root = certificate(folder, { as: 'root', isAuthority: true })
const middle = certificate(folder, { as: 'middle', isAuthority: true, by: root })
const leaf = certificate(folder, {
  as: 'leaf',
  by: middle,
  san: 'DNS:Api.example.com,DNS:*.example.com,IP:127.0.0.1,email:a@b',
})
const other = certificate(folder, { as: 'other' })
const small = certificate(folder, { as: 'small', newKey: 'rsa:1024' })

function file(name: string, ...parts: readonly string[]): string {
  const path = join(folder, name)
  writeFileSync(path, parts.join(''))
  return path
}
const pem = ({ cert }: Made) => readFileSync(cert, 'latin1')
const chain = file('chain.pem', pem(leaf), pem(middle), pem(root))
const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'hunter2',
})
const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey

const load = (cert: string, key: string, now = Date.now()) =>
  loadPair({ path: cert, at: 'tls.certificates[0].cert' }, { path: key, at: 'tls.certificates[0].key' }, now)

test('a chain and its key are read, with the names of the certificate', async () => {
  const pair = await load(chain, leaf.key)
  assert.deepEqual(namesOf(pair.leaf), ['api.example.com', '*.example.com'])
  await load(leaf.cert, leaf.key)
  await loadAuthorities({ path: root.cert, at: 'x' }, Date.now())
})

const YEAR = 31_536_000_000
const BAD: readonly (readonly [what: string, cert: string, key: string, fault: RegExp, now?: number])[] = [
  [
    'no file',
    join(folder, 'none.pem'),
    leaf.key,
    /^tls\.certificates\[0\]\.cert: \S+none\.pem can’t be read \(ENOENT\); /,
  ],
  [
    'no certificate',
    leaf.key,
    leaf.key,
    /\.cert: \S+ holds no certificate in PEM; name the file with BEGIN CERT/,
  ],
  [
    'a broken certificate',
    file('broken.pem', pem(leaf).replaceAll('M', '*')),
    leaf.key,
    /holds something that is no certificate \(certificate 1\)/,
  ],
  [
    'half a certificate',
    file('half.pem', pem(leaf).slice(0, 300)),
    leaf.key,
    /holds something that is no certificate/,
  ],
  ['no key', leaf.cert, leaf.cert, /\.key: \S+ holds no private key in PEM without a passphrase; /],
  [
    'a key with a passphrase',
    leaf.cert,
    file('secret.pem', secret as string),
    /holds no private key in PEM without a passphrase/,
  ],
  ['another key', leaf.cert, other.key, /\.key: \S+other-key\.pem is not the key of \S+leaf\.pem; /],
  [
    'a key that TLS does not know',
    leaf.cert,
    file('odd.pem', odd.export({ type: 'pkcs8', format: 'pem' }) as string),
    /is not the key of/,
  ],
  [
    'the chain upside down',
    file('down.pem', pem(root), pem(middle), pem(leaf)),
    leaf.key,
    /is out of order: the certificate of \S+ is its certificate 3; put the server’s own first/,
  ],
  [
    'a link of the chain left out',
    file('gap.pem', pem(leaf), pem(root)),
    leaf.key,
    /is out of order: its certificate 2 has not signed its certificate 1/,
  ],
  ['somebody else’s authority', file('else.pem', pem(leaf), pem(other)), leaf.key, /is out of order/],
  ['a weak key', small.cert, small.key, /has an RSA key of 1024 bits; make a new key: P-256/],
  ['an end in the past', chain, leaf.key, /has expired at 2\S+Z; renew it/, Date.now() + YEAR],
  [
    'a beginning in the future',
    chain,
    leaf.key,
    /is valid only from 2\S+Z; set the clock right/,
    Date.now() - YEAR,
  ],
]

for (const [what, cert, key, fault, now] of BAD)
  test(`is refused, and the file named: ${what}`, async () => {
    await assert.rejects(load(cert, key, now), (error: Error) => {
      assert.match(error.message, fault)
      return !/hunter2|BEGIN (?!CERT|PRIV)|MI[A-Z0-9]{10}/.test(error.message)
    })
  })

test('authorities of clients are authorities, and hold', async () => {
  const at = 'tls.clientCertificates.ca'
  await assert.rejects(
    loadAuthorities({ path: leaf.cert, at }, Date.now()),
    /no authority’s \(certificate 1\)/,
  )
  await assert.rejects(
    loadAuthorities({ path: root.cert, at }, Date.now() + YEAR),
    /only authorities that have expired/,
  )
})
