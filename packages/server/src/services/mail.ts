// Mail for alerts: one message over TLS to a submission server (RFC 8314: implicit TLS), with AUTH PLAIN where a user is
// named (RFC 4954). Nothing of a caller's can end a line: the text is base64, the addresses are the operator's.

import { connect, type TLSSocket } from 'node:tls'
import type { Alert, AlertSink } from './alerts.ts'

/** Where mail is handed in, and for whom it is. */
export interface MailPlace {
  readonly host: string
  /** 465. */
  readonly port?: number
  readonly from: string
  readonly to: string
  readonly user?: string
  readonly password?: string
  /** PEM; trusted instead of the system's roots. */
  readonly ca?: string
}

const DEADLINE_MS = 15_000
const MAX_REPLY = 16_384

interface Session {
  /** Sends a line, and takes the reply. @throws where its code is another one */
  say(line: string, code: number): Promise<string>
  reply(code: number): Promise<string>
}

function sessionOn(socket: TLSSocket): Session {
  let text = ''
  let waiting: { resolve: (reply: string) => void; reject: (error: Error) => void } | undefined
  let fault: Error | undefined

  // RFC 5321, section 4.2.1: every line but the last has a hyphen behind its code.
  const look = (): void => {
    const end = /^\d{3} [^\n]*\n/m.exec(text)
    if (waiting && end) {
      const reply = text.slice(0, end.index + end[0].length)
      text = text.slice(reply.length)
      waiting.resolve(reply)
      waiting = undefined
    } else if (text.length > MAX_REPLY) socket.destroy(new Error('the mail server says too much'))
  }
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    look()
  })
  const end = (error?: Error) => {
    fault = error ?? new Error('the mail server closed the connection')
    waiting?.reject(fault)
  }
  socket.on('error', end)
  socket.on('close', () => end(fault))

  const reply = async (code: number): Promise<string> => {
    const got = await new Promise<string>((resolve, reject) => {
      if (fault) return reject(fault)
      waiting = { resolve, reject }
      look()
    })
    // Its words may repeat what was sent; the code says enough.
    if (Number(got.slice(0, 3)) !== code) throw new Error(`the mail server answers ${got.slice(0, 3)}`)
    return got
  }
  return {
    reply,
    say(line, code) {
      socket.write(`${line}\r\n`)
      return reply(code)
    },
  }
}

/** The message of an alert (RFC 5322), its lines ended and its dots doubled (RFC 5321, section 4.5.2). */
export function messageOf(alert: Alert, { from, to }: Pick<MailPlace, 'from' | 'to'>): string {
  const body = Buffer.from(`${alert.because}\n\n${JSON.stringify(alert, null, 2)}\n`).toString('base64')
  return [
    `From: <${from}>`,
    `To: <${to}>`,
    `Subject: Sallyport: ${alert.level} risk`,
    `Date: ${new Date(alert.at).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${crypto.randomUUID()}@sallyport>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...(body.match(/.{1,76}/g) ?? []),
  ]
    .map((line) => (line.startsWith('.') ? `.${line}` : line))
    .join('\r\n')
}

/** Sends each alert as a mail. */
export function mailSink(place: MailPlace): AlertSink {
  const { host, port = 465, from, to, user, password = '', ca } = place
  return async (alert) => {
    const socket = connect({
      host,
      port,
      minVersion: 'TLSv1.2',
      ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
      ...(ca === undefined ? {} : { ca }),
    })
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('the mail server does not answer')))
    const session = sessionOn(socket)
    try {
      await session.reply(220)
      await session.say('EHLO sallyport.invalid', 250)
      if (user !== undefined)
        await session.say(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`, 235)
      await session.say(`MAIL FROM:<${from}>`, 250)
      await session.say(`RCPT TO:<${to}>`, 250)
      await session.say('DATA', 354)
      await session.say(`${messageOf(alert, place)}\r\n.`, 250)
      socket.write('QUIT\r\n')
    } finally {
      socket.end()
      socket.destroySoon()
    }
  }
}
