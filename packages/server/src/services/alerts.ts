// Tells somebody when the risk of an account, a credential or an address reaches a level at which the policy asks for it:
// once for each subject, level and hour, with what the risk is made of. An alert that can't be told is told to the log.

import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import type { AuditEvent } from 'sallyport'
import type { Risk, RiskLevel } from 'sallyport/audit'
import { RISK_LEVELS } from 'sallyport/audit'
import { PlaceFault } from '../config/places.ts'
import { type MailPlace, mailSink } from './mail.ts'
import type { AlertsSetting } from './setting.ts'

/** What is told. */
export interface Alert {
  readonly format: 'sallyport-alert/1'
  /** RFC 3339. */
  readonly at: string
  readonly subject: string
  readonly level: RiskLevel
  readonly score: number
  /** One sentence. */
  readonly because: string
  readonly action: string
  readonly organisation?: string
}

/** Where it is told; resolves when it was taken. */
export type AlertSink = (alert: Alert) => Promise<void>

/** Watches risks. */
export interface Alerts {
  /** Takes an event and the risk after it. */
  hear(event: AuditEvent, risk: Risk | undefined, now: number): void
  /** At these levels somebody is told. */
  at(levels: ReadonlySet<RiskLevel>): void
  readonly failed: number
  /** Where nobody would be told although the policy asks for it, or somebody could not be: a sentence for each. */
  warnings(): readonly string[]
}

const HOUR_MS = 3_600_000
const MAX_SUBJECTS = 10_000

export function createAlerts(
  sinks: readonly AlertSink[],
  onFailure: (reason: string) => void = () => {},
): Alerts {
  let levels: ReadonlySet<RiskLevel> = new Set()
  const told = new Map<string, number>()
  let failed = 0
  let lastFailure: string | undefined

  // The highest level that is reached and asked for; reaching a higher one is told again within the hour.
  function levelToTell(risk: Risk): RiskLevel | undefined {
    const reached = RISK_LEVELS.slice(0, RISK_LEVELS.indexOf(risk.level) + 1)
    return reached.reverse().find((level) => levels.has(level))
  }

  function isNew(key: string, now: number): boolean {
    const last = told.get(key)
    if (last !== undefined && now - last < HOUR_MS) return false
    told.delete(key)
    if (told.size >= MAX_SUBJECTS) told.delete(told.keys().next().value!)
    told.set(key, now)
    return true
  }

  return {
    get failed() {
      return failed
    },
    at(next) {
      levels = next
    },
    warnings: () => [
      ...(levels.size > 0 && sinks.length === 0
        ? ['alerts: the policy asks for them, and the gateway configuration names nobody under "alerts"']
        : []),
      ...(failed > 0 ? [`alerts: ${failed} could not be told; the last because ${lastFailure}`] : []),
    ],
    hear(event, risk, now) {
      const level = risk && levelToTell(risk)
      if (!risk || !level || sinks.length === 0 || !isNew(`${level} ${risk.subject}`, now)) return
      const parts = risk.contributions.map(({ signal, points }) => `${signal} ${points}`).join(', ')
      const alert: Alert = {
        format: 'sallyport-alert/1',
        at: new Date(now).toISOString(),
        subject: risk.subject,
        level,
        score: risk.score,
        because: `the risk of ${risk.subject} is ${risk.score}: ${parts}`,
        action: event.action,
        ...(event.organisation === undefined ? {} : { organisation: event.organisation }),
      }
      for (const sink of sinks)
        sink(alert).catch((error: unknown) => {
          failed++
          lastFailure = error instanceof Error ? error.message : String(error)
          onFailure(lastFailure)
        })
    },
  }
}

/**
 * The sinks of a configuration.
 *
 * @throws PlaceFault where the environment lacks a secret, or it is too short
 */
export function alertSinks(
  setting: AlertsSetting,
  environment: Readonly<Record<string, string | undefined>>,
): readonly AlertSink[] {
  return setting.map(({ webhook, secretFrom, command, mail }) => {
    if (mail !== undefined) return mailSink(mailPlaceOf(mail, environment))
    if (webhook === undefined) return commandSink(command!)
    const secret = secretFrom === undefined ? undefined : environment[secretFrom]
    if (secretFrom !== undefined && (secret ?? '').length < 16)
      throw new PlaceFault(
        `alerts: the environment has no ${secretFrom} of at least 16 characters; make one with "openssl rand -base64 32"`,
      )
    return webhookSink(webhook, secret)
  })
}

function mailPlaceOf(
  { host, port, from, to, user, passwordFrom }: NonNullable<AlertsSetting[number]['mail']>,
  environment: Readonly<Record<string, string | undefined>>,
): MailPlace {
  const password = passwordFrom === undefined ? undefined : environment[passwordFrom]
  if (passwordFrom !== undefined && (password ?? '') === '')
    throw new PlaceFault(
      `alerts: the environment has no ${passwordFrom}; set it to the password of the mail server`,
    )
  return {
    host: host!,
    from: from!,
    to: to!,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  }
}

const DEADLINE_MS = 10_000

/**
 * Posts alerts to a URL, with the time and an HMAC-SHA-256 over both in headers of Standard Webhooks.
 *
 * @param secret of at least 16 characters; without one nothing is signed
 */
export function webhookSink(
  url: string,
  secret: string | undefined,
  fetcher: typeof fetch = fetch,
): AlertSink {
  return async (alert) => {
    const body = JSON.stringify(alert)
    const id = `alert_${createHmac('sha256', 'id').update(body).digest('hex').slice(0, 24)}`
    const at = String(Math.floor(Date.parse(alert.at) / 1_000))
    const answer = await fetcher(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(DEADLINE_MS),
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': at,
        ...(secret === undefined
          ? {}
          : {
              'webhook-signature': `v1,${createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64')}`,
            }),
      },
      body,
    }).catch(() => {
      // The address may hold a secret of its own.
      throw new Error('the webhook of alerts does not answer')
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`the webhook of alerts answers ${answer.status}`)
  }
}

/** Runs a program for each alert, without a shell; the alert is its standard input, as JSON. */
export function commandSink([program, ...words]: readonly string[]): AlertSink {
  return (alert) =>
    new Promise((resolve, reject) => {
      const child = spawn(program!, words, { stdio: ['pipe', 'ignore', 'ignore'], timeout: DEADLINE_MS })
      child.on('error', () => reject(new Error('the program for alerts does not start')))
      child.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`the program for alerts ended with ${code ?? 'a signal'}`)),
      )
      child.stdin.on('error', () => {})
      child.stdin.end(JSON.stringify(alert))
    })
}
