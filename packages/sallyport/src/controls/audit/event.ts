// Tells the log what is known by the status of an answer: what only the application knows, such as that a session ended,
// and that somebody asks for many things that are not there.

import type { Needs, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { NO_LINES } from '../../guard/lines.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import { notFoundBursts } from './not-found.ts'
import { type AuditSetting, FAILURES, isKept, routeEvent } from './setting.ts'

/** By what an application tells whose session it was. */
const ACTOR = 'audit-actor'
const MAX_ACTOR = 256

export function compileEvent(setting: AuditSetting, needs: Needs): Stage {
  const event = routeEvent(setting)
  const { audit } = needs.services
  const isTold = audit !== undefined && needs.trial === undefined
  const notFound = isTold && isKept(setting) ? notFoundBursts(audit, needs) : undefined
  if (!event)
    return notFound
      ? {
          emit: {
            perAnswer(exchange, status) {
              if (status === 404) notFound(exchange)
              return NO_LINES
            },
          },
        }
      : {}
  const { action, on } = event
  const taken = { owns: [ACTOR], watches: [ACTOR] }
  if (!isTold) return { emit: taken }
  const statuses = new Set(on)
  return {
    emit: {
      ...taken,
      perAnswer(exchange, status, seen) {
        if (status === 404) notFound?.(exchange)
        // What the guard itself answers is none of the application's doing.
        if (statuses.has(status) && !exchange.answeredByGuard)
          audit.record({
            action,
            outcome: FAILURES.has(action) ? 'failure' : 'success',
            control: 'SP-AUDIT-01',
            cell: exchange.cell.id,
            ...who(exchange, seen.get(ACTOR)),
          })
        return NO_LINES
      },
    },
  }
}

function who(
  { principal, client, requestId }: Exchange,
  told: string | undefined,
): Pick<AuditEvent, 'organisation' | 'credential' | 'actor' | 'address' | 'requestId'> {
  const actor = actorIn(told) ?? principal?.subject
  return {
    ...(principal && { organisation: principal.organisation, credential: principal.credential.id }),
    ...(actor !== undefined && { actor }),
    ...(client.address !== undefined && { address: client.address }),
    ...(requestId !== '' && { requestId }),
  }
}

function actorIn(told: string | undefined): string | undefined {
  if (told === undefined || told === '' || told.length > 3 * MAX_ACTOR) return undefined
  try {
    return decodeURIComponent(told)
  } catch {
    return undefined
  }
}
