// `sallyport audit export`: entries in the form that another program reads, to the standard output or to a collector of
// syslog over TLS.

import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { connect } from 'node:tls'
import { cefLine, type ReadEntry, syslogLine } from '../../audit/index.ts'
import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { version as ownVersion } from '../version.ts'
import { wholeNumber } from '../whole-number.ts'
import { type LogLine, withLog } from './reach.ts'
import { filterOf } from './read.ts'
import { tell } from './tell.ts'

const PAGE = 1_000
const FORMATS = ['jsonl', 'syslog', 'cef'] as const

/** Writes every entry from `--since INDEX` on that the filter lets through, in order. */
export async function exportLog(invocation: Invocation, terminal: Terminal): Promise<number> {
  const format = invocation.text('format')!
  if (!(FORMATS as readonly string[]).includes(format))
    throw new Failure(
      `${invocation.nameOf('format')}: expected jsonl, syslog or cef, received ${show(format)}`,
    )
  const filter = filterOf(invocation, Date.now())
  const since = wholeNumber(invocation, 'since', 0, Number.MAX_SAFE_INTEGER) ?? 0
  const version = ownVersion()
  const host = hostname()
  const lineOf = ({ entry }: LogLine): string => {
    if (format === 'jsonl') return entry
    const read = JSON.parse(entry) as ReadEntry
    return format === 'cef' ? cefLine(read, version) : syslogLine(read, entry, host)
  }
  const to = invocation.text('to-syslog')
  if (to !== undefined && format === 'jsonl')
    throw new Failure(`${invocation.nameOf('to-syslog')}: a collector takes --format syslog or cef`)
  const sink = to === undefined ? undefined : await syslogOverTls(to, invocation, terminal)
  let last: number | undefined
  let count = 0
  await withLog(invocation, terminal, async (log, store) => {
    // First: nobody is handed what the log does not know was handed on.
    await tell(store, 'SP-AUDIT-01', {
      action: 'audit.exported',
      outcome: 'success',
      details: { since, format, to: to ?? 'standard output' },
    })
    for (let next = since; ; ) {
      const lines = await log.readLog(store, next, PAGE)
      for (const line of lines.filter((each) => matches(each, filter))) {
        const text =
          format === 'cef' && sink
            ? `<109>1 ${new Date().toISOString()} ${host} sallyport - - - ${lineOf(line)}`
            : lineOf(line)
        if (sink) await sink.send(text)
        else terminal.out(text)
        count++
      }
      last = lines.at(-1)?.index ?? last
      if (lines.length < PAGE) break
      next = last! + 1
    }
  }).finally(() => sink?.end())
  // Where to go on: a reader that asks again with it misses nothing and gets nothing twice.
  terminal.err(`${count} entries; go on with --since ${last === undefined ? since : last + 1}`)
  return 0
}

function matches({ entry }: LogLine, filter: ReturnType<typeof filterOf>): boolean {
  const { metadata, time, actor, risk_score = 0 } = JSON.parse(entry) as ReadEntry
  return (
    (filter.action === undefined || metadata.event_code === filter.action) &&
    (filter.organisation === undefined || metadata.tenant_uid === filter.organisation) &&
    (filter.actor === undefined || actor?.user?.uid === filter.actor) &&
    (filter.from === undefined || time >= filter.from) &&
    (filter.to === undefined || time < filter.to) &&
    (filter.minRisk === undefined || risk_score >= filter.minRisk)
  )
}

const CONNECT_MS = 10_000

interface Sink {
  send(line: string): Promise<void>
  end(): Promise<void>
}

/** RFC 5425: messages over TLS, each after its length in octets. */
async function syslogOverTls(to: string, invocation: Invocation, terminal: Terminal): Promise<Sink> {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/.exec(to)
  if (!match)
    throw new Failure(
      `${invocation.nameOf('to-syslog')}: expected HOST:PORT, received ${show(to)}; write logs.example.com:6514`,
    )
  const host = match[1] ?? match[2]!
  const authority = invocation.text('ca')
  const ca = authority === undefined ? undefined : await readFile(resolve(terminal.directory, authority))
  const socket = connect({
    host,
    port: Number(match[3] ?? 6514),
    minVersion: 'TLSv1.2',
    ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
    ...(ca ? { ca } : {}),
  })
  socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer')))
  await new Promise<void>((done, reject) => {
    socket.once('secureConnect', done)
    socket.once('error', (error) =>
      reject(
        new Failure(`${invocation.nameOf('to-syslog')}: ${to} can't be reached over TLS: ${error.message}`, {
          cause: error,
        }),
      ),
    )
  })
  socket.setTimeout(0)
  let fault: Error | undefined
  socket.on('error', (error) => {
    fault = error
  })
  return {
    send: (line) =>
      new Promise((done, reject) => {
        if (fault) return reject(new Failure(`the collector closed the connection: ${fault.message}`))
        const message = Buffer.from(line)
        socket.write(Buffer.concat([Buffer.from(`${message.length} `), message]), (error) =>
          error ? reject(error) : done(),
        )
      }),
    end: () => new Promise((done) => socket.end(() => done())),
  }
}
