// `sallyport posture`: the page that a security reviewer reads, as HTML, Markdown or data.

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Place } from '../guard/control.ts'
import { loadPolicy, PolicyFileError } from '../policy/load.ts'
import { show } from '../policy/problem.ts'
import { type FolderFacts, factsIn } from '../posture/page/facts.ts'
import {
  createPosture,
  LINK_KEY_MIN,
  LINK_KEY_VARIABLE,
  postureHtml,
  postureMarkdown,
  reviewerLink,
} from '../posture/page/index.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { namedPolicy } from './named-policy.ts'
import { securityTxt } from './security-txt.ts'

// No policy file has this name: it would need an ending.
const SECURITY_TXT = 'security-txt'
const FORMATS = {
  html: postureHtml,
  md: postureMarkdown,
  json: (posture: unknown) => JSON.stringify(posture, null, 2),
}
const AUDIENCES = ['public', 'reviewer'] as const
const PLACES = ['gateway', 'node', 'fetch'] as const

/** Runs the command. */
export async function posture(invocation: Invocation, terminal: Terminal): Promise<number> {
  if (invocation.operands[0] === SECURITY_TXT) return securityTxt(invocation, terminal)
  for (const option of ['sign', 'check', 'key'] as const)
    if (invocation.given(option))
      throw new Failure(
        `--${option}: is about security.txt; write sallyport posture ${SECURITY_TXT} --${option}`,
      )
  if (invocation.operands.length > 1)
    throw new Failure(
      `posture takes one policy, received ${show(invocation.operands[1])}; see "sallyport posture --help"`,
    )
  if (invocation.text('link') !== undefined) return link(invocation, terminal)
  if (invocation.flag('json'))
    throw new Failure('--json: is about --link; write --format json for the posture as data')
  const { policy } = await loadPolicy(namedPolicy(invocation), terminal.directory)
  const format = oneOf(invocation, 'format', Object.keys(FORMATS) as (keyof typeof FORMATS)[])
  const made = await createPosture(policy, {
    place: oneOf<Place>(invocation, 'place', PLACES),
    audience: oneOf(invocation, 'audience', AUDIENCES),
    now: Date.now(),
    ...originOf(invocation),
    ...factsOf(invocation, terminal),
  })
  const text = FORMATS[format](made)
  const out = invocation.text('out')
  if (out === undefined) terminal.out(text.trimEnd())
  else {
    const file = resolve(terminal.directory, out)
    try {
      await writeFile(file, text.endsWith('\n') ? text : `${text}\n`)
    } catch (error) {
      throw new Failure(
        `${invocation.nameOf('out')} ${out}: can't be written (${(error as NodeJS.ErrnoException).code}); name a file in a folder that is there`,
        { cause: error },
      )
    }
    terminal.err(`wrote ${out}`)
  }
  return 0
}

// How long a link may hold: half a year is longer than any review.
const LINK_DAYS_MAX = 180

function link(invocation: Invocation, terminal: Terminal): number {
  const given = invocation.text('link')!
  const days = /^(\d{1,3})d$/.exec(given)?.[1]
  if (days === undefined || Number(days) < 1 || Number(days) > LINK_DAYS_MAX)
    throw new Failure(
      `${invocation.nameOf('link')}: expected 1d to ${LINK_DAYS_MAX}d, received ${show(given)}`,
    )
  const key = terminal.environment[LINK_KEY_VARIABLE]
  if (key === undefined || key.length < LINK_KEY_MIN)
    throw new Failure(
      `${LINK_KEY_VARIABLE}: must hold the key of the deployment, at least ${LINK_KEY_MIN} characters; make one with openssl rand -base64 32`,
    )
  const { origin } = originOf(invocation)
  if (origin === undefined)
    throw new Failure(
      `${invocation.nameOf('origin')}: must say where the page is, such as https://api.example.com`,
    )
  const until = Math.floor(Date.now() / 1_000) + Number(days) * 86_400
  const links = { page: origin + reviewerLink(key, until), data: origin + reviewerLink(key, until, true) }
  terminal.out(
    invocation.flag('json') ? JSON.stringify(links, null, 2) : `page  ${links.page}\ndata  ${links.data}`,
  )
  return 0
}

function oneOf<T extends string>(invocation: Invocation, option: string, allowed: readonly T[]): T {
  const given = invocation.text(option)!
  const found = allowed.find((each) => each === given)
  if (found === undefined)
    throw new Failure(`${invocation.nameOf(option)}: expected ${allowed.join(', ')}, received ${show(given)}`)
  return found
}

function originOf(invocation: Invocation): { origin?: string } {
  const given = invocation.text('origin')
  if (given === undefined) return {}
  const url = URL.parse(given)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Failure(
      `${invocation.nameOf('origin')}: expected an origin such as https://api.example.com, received ${show(given)}`,
    )
  return { origin: url.origin }
}

function factsOf(invocation: Invocation, { directory }: Terminal): FolderFacts {
  const record = invocation.text('record')
  const file = record === undefined ? undefined : resolve(directory, record)
  const named = `${invocation.nameOf('record')} ${record}`
  if (file !== undefined && !existsSync(file))
    throw new Failure(`${named}: is not there; write it with sallyport verify --record`)
  try {
    return factsIn(directory, file)
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error
    throw new Failure(file === undefined ? error.message : error.message.replace(file, named), {
      cause: error,
    })
  }
}
