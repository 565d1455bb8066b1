// Mail to a submission server over TLS that keeps to RFC 5321 and refuses whatever does not.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { localCertificate } from '../tls/local.ts'
import type { Alert } from './alerts.ts'
import { mailSink, messageOf } from './mail.ts'

const alert: Alert = {
  format: 'sallyport-alert/1',
  at: '2026-11-30T22:00:00.000Z',
  subject: 'account:ada\r\nBcc: eve@example.com',
  level: 'high',
  score: 74,
  because: 'the risk of account:ada\r\n.\r\nMAIL FROM:<eve@example.com> is 74',
  action: 'key.exposed',
}

interface Mailbox {
  readonly port: number
  readonly ca: string
  readonly mails: { readonly from: string; readonly to: string; readonly data: string }[]
}

async function mailbox(context: TestContext, refuses?: RegExp): Promise<Mailbox> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-mail-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const { cert, key, caFile } = await localCertificate({ folder })
  const mails: Mailbox['mails'] = []
  const server = createServer({ cert, key }, (socket) => {
    let text = ''
    let isData = false
    let [from, to, isKnown] = ['', '', false]
    socket.on('error', () => {})
    socket.write('220-hello\r\n220 mail.example\r\n')
    const answer = (line: string): string => {
      if (refuses?.test(line)) return '550 no'
      if (/^EHLO \S+$/.test(line)) return '250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME'
      if (line === `AUTH PLAIN ${Buffer.from('\0alerts\0a password').toString('base64')}`) isKnown = true
      if (line.startsWith('AUTH ')) return isKnown ? '235 ok' : '535 no'
      if (!isKnown) return '530 first sign in'
      const [, command, address = ''] = /^(MAIL FROM|RCPT TO):<([^<>\s]+@[^<>\s]+)>$/.exec(line) ?? []
      if (command === 'MAIL FROM') from = address
      if (command === 'RCPT TO') to = address
      if (command) return '250 ok'
      if (line === 'DATA') {
        isData = true
        return '354 go on'
      }
      return line === 'QUIT' ? '221 bye' : '500 what'
    }
    socket.on('data', (chunk) => {
      text += chunk
      for (;;) {
        const end = text.indexOf(isData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const part = text.slice(0, end)
        text = text.slice(end + (isData ? 5 : 2))
        if (isData) {
          isData = false
          mails.push({ from, to, data: part })
          socket.write(refuses?.test('.') ? '552 full\r\n' : '250 queued\r\n')
        } else socket.write(`${answer(part)}\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, ca: readFileSync(caFile, 'utf8'), mails }
}

const place = ({ port, ca }: Mailbox) => ({
  host: '127.0.0.1',
  port,
  ca,
  from: 'gateway@example.com',
  to: 'security@example.com',
  user: 'alerts',
  password: 'a password',
})

test('H19 an alert comes as one mail, whatever stands in it', async (context) => {
  const box = await mailbox(context)
  await mailSink(place(box))(alert)
  assert.equal(box.mails.length, 1)
  const { from, to, data } = box.mails[0]!
  assert.deepEqual([from, to], ['gateway@example.com', 'security@example.com'])
  const [head = '', body = ''] = data.split('\r\n\r\n')
  assert.match(head, /^Subject: Sallyport: high risk$/m)
  assert.doesNotMatch(head, /Bcc|eve/)
  assert.ok(data.split('\r\n').every((line) => line.length <= 998))
  const text = Buffer.from(body, 'base64').toString()
  assert.deepEqual(JSON.parse(text.slice(text.indexOf('{'))), alert)
})

test('what the server refuses, is told without what was sent', async (context) => {
  const box = await mailbox(context)
  const fails = (more: object, message: RegExp) =>
    assert.rejects(mailSink({ ...place(box), ...more })(alert), (error: Error) => {
      assert.match(error.message, message)
      return !error.message.includes('a password')
    })
  await fails({ password: 'wrong' }, /answers 535/)
  await fails({ to: 'not-an-address' }, /answers 500/)
  const { ca: _ca, ...untrusted } = place(box)
  await assert.rejects(mailSink(untrusted)(alert), /certificate/)
  await assert.rejects(mailSink({ ...place(box), port: 1 })(alert), /ECONNREFUSED/)
  assert.equal(box.mails.length, 0)
  await assert.rejects(mailSink(place(await mailbox(context, /^\.$/)))(alert), /answers 552/)
})

test('a line that begins with a dot has two', () => {
  assert.ok(
    !messageOf(alert, { from: 'a@b', to: 'c@d' })
      .split('\r\n')
      .some((line) => line === '.'),
  )
})
