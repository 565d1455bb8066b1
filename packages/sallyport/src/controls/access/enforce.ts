// Finds out who calls, and lets in who may.

import type { CellInfo } from '../../guard/cell.ts'
import type { Judgement, Needs, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Principal } from '../../guard/principal.ts'
import {
  AMBIGUOUS,
  FORBIDDEN,
  INVALID,
  insufficientScope,
  stepUp,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from './challenges.ts'
import { type Caller, callerFinder } from './credential.ts'
import { handOver } from './hand-over.ts'
import { objectionTo, rightsWithin } from './judge.ts'
import { type Requirement, requirementOf } from './requirement.ts'
import { answerAbout } from './self-service.ts'
import type { AccessSetting } from './setting.ts'

export const ACCESS_ID = 'SP-ACCESS-01'

export function compileAccess(setting: AccessSetting, cell: CellInfo, needs: Needs): Stage {
  const required = requirementOf(setting, cell)
  const { admitKeys, identify } = handOver(setting, needs)
  if (required.level === 'open') return admitKeys ? { admit: admitKeys } : {}
  const judge = judgeFor(setting, required, needs, identify)
  const find: (exchange: Exchange) => Caller | Promise<Caller> = needs.trial
    ? () => needs.trial?.principal ?? 'none'
    : callerFinder(setting, cell, needs)
  return {
    ...(setting.selfService ? { answer: answerAbout } : {}),
    admit: function admitCaller(exchange) {
      const caller = find(exchange)
      return caller instanceof Promise
        ? caller.then((late) => judge(exchange, late))
        : judge(exchange, caller)
    },
  }
}

type Identify = (exchange: Exchange, principal: Principal) => undefined | Promise<undefined>

function judgeFor(
  setting: AccessSetting,
  required: Requirement,
  needs: Needs,
  identify: Identify | undefined,
): (exchange: Exchange, caller: Caller) => Judgement {
  const cutDown = rightsWithin(setting)
  const again = stepUp(required)
  const missing = new Map(
    [required.scopes, required.anyScope.slice(0, 1)].map((scopes) => [
      scopes.join(' '),
      insufficientScope(scopes),
    ]),
  )

  return function judgeCaller(exchange, caller) {
    if (typeof caller === 'string') {
      switch (caller) {
        case 'none':
          return required.level === 'credential' ? UNAUTHENTICATED : undefined
        case 'invalid':
          return INVALID
        case 'ambiguous':
          return AMBIGUOUS
        case 'unavailable':
          return UNAVAILABLE
      }
    }
    const principal = cutDown(caller)
    exchange.principal = principal
    const objection = objectionTo(principal, required, needs.clock())
    switch (objection?.code) {
      case undefined:
        return identify?.(exchange, principal)
      case 'forbidden':
        return FORBIDDEN
      case 'insufficient_scope':
        return missing.get(objection.scopes.join(' '))!
      case 'step_up_required':
        return again
    }
  }
}
