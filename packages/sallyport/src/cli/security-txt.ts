// `sallyport posture security-txt`: the file as the policy has it, signed on request, and the check of one that is served.

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { securityTxtBody } from '../controls/disclosure/security-txt.ts'
import { type DisclosureSetting, SECURITY_TXT_PATH } from '../controls/disclosure/setting.ts'
import { resolvePolicy } from '../guard/resolve.ts'
import { findPolicy, loadPolicy } from '../policy/load.ts'
import { checkSecurityTxt } from '../posture/security-txt.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { checkSignature, clearSign } from './gpg.ts'
import { namedPolicy } from './named-policy.ts'

const MAX_BYTES = 65_536

/** Runs the command: 0 where it is written or every check holds, 1 where a check fails. */
export async function securityTxt(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [, operand] = invocation.operands
  if (invocation.flag('check')) return check(operand, invocation, terminal)
  const setting = await settingOf(namedPolicy(invocation, 1), terminal)
  const { securityTxt: file } = setting
  if (!file) throw missing()
  const keyId = invocation.text('sign')
  if (keyId === undefined) {
    await write(securityTxtBody(setting, file), invocation, terminal)
    return 0
  }
  const { signed: _signed, ...unsigned } = file
  const text = securityTxtBody(setting, unsigned)
  // What is wrong would be wrong under a signature too.
  const failures = [
    ...checkSecurityTxt(text, Date.now()).failures,
    ...(file.canonical?.length
      ? []
      : [
          'Canonical: is missing, so a signed copy could be served from anywhere; set disclosure.securityTxt.canonical',
        ]),
  ]
  if (failures.length > 0) throw new Failure(failures.join('\n'))
  await write(clearSign(text, keyId, terminal), invocation, terminal)
  terminal.err(
    'the policy serves it where disclosure.securityTxt.signed holds this text; sign again when a field changes',
  )
  return 0
}

async function check(
  operand: string | undefined,
  invocation: Invocation,
  terminal: Terminal,
): Promise<number> {
  const { text, url, key: own, name } = await subjectOf(operand, invocation, terminal)
  const keyFile = invocation.text('key')
  const key = keyFile === undefined ? own : await readNamed(keyFile, terminal)
  const { failures, notes, signed } = checkSecurityTxt(text, Date.now(), url)
  const found = [...failures]
  const said = [...notes]
  if (signed && key === undefined)
    said.push('the signature was not checked; name the key of the signer with --key FILE')
  else if (signed) {
    const signature = checkSignature(text, key!, terminal)
    if (!signature.valid)
      found.push(`the signature does not hold: ${signature.because}; sign again with --sign KEYID`)
    else {
      said.push(`the signature is by ${signature.fingerprint}`)
      // Fields count as the signer's only as gpg itself reads them.
      found.push(
        ...checkSecurityTxt(signature.text, Date.now(), url).failures.filter((each) => !found.includes(each)),
      )
    }
  }
  for (const failure of found) terminal.err(`${name}: ${failure}`)
  for (const note of said) terminal.out(`note: ${note}`)
  if (found.length > 0) return 1
  terminal.out(`${name}: every field holds`)
  return 0
}

interface Subject {
  readonly name: string
  readonly text: string
  /** Where it was fetched from. */
  readonly url?: string
  /** The key that the policy publishes. */
  readonly key?: string
}

async function subjectOf(
  operand: string | undefined,
  invocation: Invocation,
  terminal: Terminal,
): Promise<Subject> {
  if (operand !== undefined && /^https?:\/\//i.test(operand)) return fetched(operand, invocation, terminal)
  if (operand?.endsWith('.txt')) return { name: operand, text: await readNamed(operand, terminal) }
  const setting = await settingOf(namedPolicy(invocation, 1), terminal)
  const { securityTxt: file, pgpKey } = setting
  if (!file) throw missing()
  return { name: 'security.txt', text: securityTxtBody(setting, file), ...(pgpKey ? { key: pgpKey } : {}) }
}

async function fetched(name: string, invocation: Invocation, terminal: Terminal): Promise<Subject> {
  const url = URL.parse(name)
  if (url === null)
    throw new Failure(`expected a URL such as https://api.example.com, received ${JSON.stringify(name)}`)
  if (url.pathname === '/') url.pathname = SECURITY_TXT_PATH
  let text: string
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000) })
    if (response.status !== 200) throw new Error(`answered with ${response.status}`)
    text = (await response.text()).slice(0, MAX_BYTES)
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } }
    throw new Failure(`${url}: can't be read (${cause?.code ?? message}); see that it is served there`, {
      cause: error,
    })
  }
  // A policy at hand says which key the file must be signed with.
  const policy = invocation.text('policy') ?? (await findPolicy(terminal.directory))
  const pgpKey = policy === undefined ? undefined : (await settingOf(policy, terminal)).pgpKey
  return { name: url.href, text, url: url.href, ...(pgpKey ? { key: pgpKey } : {}) }
}

async function settingOf(named: string | undefined, { directory }: Terminal): Promise<DisclosureSetting> {
  const { policy } = await loadPolicy(named, directory)
  return resolvePolicy(policy).cells.at(-2)!.settings['disclosure'] as DisclosureSetting
}

function missing(): Failure {
  return new Failure(
    'disclosure.securityTxt: the policy has none; write disclosure: { securityTxt: { contact: ["mailto:security@example.com"], expires: "2027-01-31T00:00:00Z" } }',
  )
}

async function readNamed(name: string, { directory }: Terminal): Promise<string> {
  try {
    return await readFile(resolve(directory, name), 'utf8')
  } catch (error) {
    throw new Failure(
      `${name}: can't be read (${(error as NodeJS.ErrnoException).code}); name a file that is there`,
      {
        cause: error,
      },
    )
  }
}

async function write(text: string, invocation: Invocation, terminal: Terminal): Promise<void> {
  const out = invocation.text('out')
  if (out === undefined) {
    terminal.out(text.trimEnd())
    return
  }
  try {
    await writeFile(resolve(terminal.directory, out), text)
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf('out')} ${out}: can't be written (${(error as NodeJS.ErrnoException).code}); name a file in a folder that is there`,
      { cause: error },
    )
  }
  terminal.err(`wrote ${out}`)
}
