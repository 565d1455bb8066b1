// Folders and files as an attacker, or a careless copy, may have left them before the first start.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { localCertificate } from './local.ts'

const run = promisify(execFile)
const FILES = ['ca.pem', 'ca-key.pem', 'cert.pem', 'key.pem'] as const

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-own-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Makes an authority with openssl, as one may find it in a folder. */
async function plant(
  folder: string,
  extensions: readonly string[],
  subject = '/CN=Sallyport local deadbeef',
) {
  const key = join(folder, 'ca-key.pem')
  await writeFile(
    join(folder, 'planted.cnf'),
    ['[req]', 'distinguished_name=dn', 'x509_extensions=ext', '[dn]', '[ext]', ...extensions, ''].join('\n'),
  )
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'],
    ...['-utf8', '-config', join(folder, 'planted.cnf'), '-subj', subject],
    ...['-keyout', key, '-out', join(folder, 'ca.pem')],
  ])
  await rm(join(folder, 'planted.cnf'))
  await chmod(key, 0o600)
  return readFile(join(folder, 'ca.pem'), 'utf8')
}

/** What the process was told while something ran. */
async function warningsOf(act: () => Promise<unknown>): Promise<string[]> {
  const told: string[] = []
  const hear = (warning: Error) => told.push(warning.message)
  process.on('warning', hear)
  await act()
  // Node tells of a warning in a later turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', hear)
  return told
}

const OURS = [
  'basicConstraints=critical,CA:TRUE,pathlen:0',
  'keyUsage=critical,keyCertSign,cRLSign',
  'extendedKeyUsage=serverAuth',
  'nameConstraints=critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  'subjectKeyIdentifier=hash',
]
const OUR_NAME = '/O=Sallyport local development/CN=Sallyport local deadbeef'
const replaced = (start: string, by?: string) =>
  OURS.flatMap((line) => (line.startsWith(start) ? (by === undefined ? [] : [by]) : [line]))

test('an authority of openssl with our very limits is taken, so the next tests fail for one reason each', async (context) => {
  const folder = await folderFor(context)
  const planted = await plant(folder, OURS, OUR_NAME)
  assert.equal((await localCertificate({ folder })).ca, planted)
})

for (const [what, extensions, subject] of [
  ['says only that it is one', ['basicConstraints=CA:TRUE'], undefined],
  ['has no name constraints', replaced('nameConstraints'), OUR_NAME],
  [
    'has name constraints that may be passed over',
    replaced('nameConstraints', OURS[3]!.replace('critical,', '')),
    OUR_NAME,
  ],
  [
    'may speak for one more name',
    replaced('nameConstraints', `${OURS[3]},permitted;DNS:bank.example`),
    OUR_NAME,
  ],
  [
    'may make authorities',
    replaced('basicConstraints', 'basicConstraints=critical,CA:TRUE,pathlen:1'),
    OUR_NAME,
  ],
  ['has no end of paths', replaced('basicConstraints', 'basicConstraints=critical,CA:TRUE'), OUR_NAME],
  ['has one extension more', [...OURS, '1.2.3.4=ASN1:NULL'], OUR_NAME],
] as const)
  test(`an authority that ${what} is made again, and that is said once`, async (context) => {
    const folder = await folderFor(context)
    const planted = await plant(folder, extensions, subject)
    const told = await warningsOf(async () => {
      const first = await localCertificate({ folder })
      assert.notEqual(first.ca, planted)
      assert.equal(await readFile(join(folder, 'ca.pem'), 'utf8'), first.ca)
      assert.equal(new X509Certificate(first.cert).verify(new X509Certificate(planted).publicKey), false)
      assert.deepEqual(await localCertificate({ folder }), first)
    })
    assert.deepEqual(told, [
      `${join(folder, 'ca.pem')}: the local authority was made again, since it is not limited to this machine as ours are; remove the old one wherever it is trusted`,
    ])
  })

test('an authority of ours with another behind it in the file is made again', async (context) => {
  const folder = await folderFor(context)
  const { ca } = await localCertificate({ folder })
  const elsewhere = await folderFor(context)
  await writeFile(join(folder, 'ca.pem'), ca + (await plant(elsewhere, ['basicConstraints=CA:TRUE'])))
  const again = await localCertificate({ folder })
  assert.equal(again.ca.match(/BEGIN CERTIFICATE/g)!.length, 1)
  assert.notEqual(again.ca, ca)
})

test('a first start says nothing of an authority made again', async (context) => {
  const folder = join(await folderFor(context), 'state', 'tls')
  assert.deepEqual(await warningsOf(() => localCertificate({ folder })), [])
})

test('a key that others could read is not used again', async (context) => {
  const folder = await folderFor(context)
  const first = await localCertificate({ folder })
  for (const mode of [0o644, 0o640, 0o604]) {
    const { key } = await localCertificate({ folder })
    await chmod(join(folder, 'key.pem'), mode)
    const again = await localCertificate({ folder })
    assert.notEqual(again.key, key)
    assert.equal(again.ca, first.ca)
    assert.equal((await stat(join(folder, 'key.pem'))).mode & 0o777, 0o600)
  }
  await chmod(join(folder, 'ca-key.pem'), 0o644)
  const again = await localCertificate({ folder })
  assert.notEqual(again.ca, first.ca)
  assert.ok(new X509Certificate(again.cert).verify(new X509Certificate(again.ca).publicKey))
  assert.equal((await stat(join(folder, 'ca-key.pem'))).mode & 0o777, 0o600)
})

for (const mode of [0o777, 0o770, 0o702, 0o1777])
  test(`a folder of mode ${mode.toString(8)} is refused and stays as it was`, async (context) => {
    const folder = join(await folderFor(context), 'tls')
    await mkdir(folder)
    await chmod(folder, mode)
    await assert.rejects(localCertificate({ folder }), {
      message: `local certificate: ${folder}: others can write in it, received mode ${(mode & 0o777).toString(8)}; chmod 700 ${folder}`,
    })
    assert.deepEqual(await readdir(folder), [])
    await chmod(folder, 0o700)
    await localCertificate({ folder })
  })

test('a folder that others can only look into is accepted', async (context) => {
  const folder = await folderFor(context)
  await chmod(folder, 0o755)
  await localCertificate({ folder })
})

for (const file of FILES)
  test(`${file} is refused where others can write it, and where it is a symbolic link or a folder`, async (context) => {
    const folder = await folderFor(context)
    await localCertificate({ folder })
    const path = join(folder, file)
    const refused = (what: string, received: string) =>
      assert.rejects(localCertificate({ folder }), {
        message: `local certificate: ${path}: ${what}, received ${received}; remove it, and it is made again: rm ${path}`,
      })
    await chmod(path, 0o666)
    await refused('others can write it', 'mode 666')
    await chmod(path, 0o620)
    await refused('others can write it', 'mode 620')
    await chmod(path, 0o600)
    await rename(path, join(folder, 'elsewhere'))
    await symlink(join(folder, 'elsewhere'), path)
    await refused('is not a regular file', 'a symbolic link')
    assert.ok((await lstat(path)).isSymbolicLink())
    await rm(path)
    await symlink(join(folder, 'nowhere'), path)
    await refused('is not a regular file', 'a symbolic link')
    await rm(path)
    await mkdir(path)
    await refused('is not a regular file', 'a folder')
    await rm(path, { recursive: true })
    await localCertificate({ folder })
  })

test('a symbolic link or a file in place of the folder is refused', async (context) => {
  const outer = await folderFor(context)
  const folder = join(outer, 'tls')
  const refused = (received: string) =>
    assert.rejects(localCertificate({ folder }), {
      message: `local certificate: ${folder}: is not a folder, received ${received}; remove it: rm ${folder}`,
    })
  for (const target of [outer, join(outer, 'nowhere')]) {
    await symlink(target, folder)
    await refused('a symbolic link')
    await rm(folder)
  }
  await writeFile(folder, '')
  await refused('a file')
})

// Only root can give files away; any other user is shown a folder that is root's own.
test('a folder or a file of another user is refused', async (context) => {
  const user = process.geteuid!()
  const refused = (folder: string, path: string, owner: number) =>
    assert.rejects(localCertificate({ folder }), {
      message: `local certificate: ${path}: belongs to another user, received user ${owner}, running as ${user}; run as its owner, or name another state folder`,
    })
  if (user !== 0) return refused('/', '/', 0)
  const folder = await folderFor(context)
  await localCertificate({ folder })
  for (const path of FILES.map((file) => join(folder, file))) {
    await chown(path, 12_345, 12_345)
    await refused(folder, path, 12_345)
    await chown(path, 0, 0)
  }
  await chown(folder, 12_345, 12_345)
  await refused(folder, folder, 12_345)
})
