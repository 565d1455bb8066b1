// The gateway: a listener under the guard in front, a pool of connections behind, one transfer for each request.

import type { IncomingMessage, ServerResponse } from 'node:http'
// A policy may publish its page.
import { eventLoopDelay } from 'sallyport/counters'
import { type Exchange, exchangeOf, respondWithCode } from 'sallyport/node'
import { publishFacts } from 'sallyport/posture'
import { factsIn } from 'sallyport/posture/facts'
import { certificateWatch } from './admin/certificate-state.ts'
import { type AdminListener, startAdmin } from './admin/listener.ts'
import { upstreamsState } from './admin/upstreams-state.ts'
import { checkOwnPlaces } from './config/places.ts'
import {
  type CloseOptions,
  DEFAULT_GRACE_MS,
  type Gateway,
  type GatewayEvent,
  type GatewayOptions,
} from './contract.ts'
import { drainConnections } from './drain.ts'
import { takeUpgrades } from './front/upgrades.ts'
import { keyLeaks } from './keys/leaks.ts'
import { listenOn } from './listen.ts'
import { createListener } from './listener.ts'
import { createRefusals } from './metrics/refusals.ts'
import { createOperation, type GatewayFacts } from './operation.ts'
import { watchFiles } from './reload/watch.ts'
import { scheduleOf, unkeptSchedule } from './services/backups.ts'
import { watchClock } from './services/clock-watch.ts'
import { type OpenServices, openServices } from './services/open.ts'
import { policyEvents } from './services/policy-events.ts'
import { shownPlaces } from './services/setting.ts'
import { alertLevelsOf, retentionOf, signalsOf } from './services/signals.ts'
import { storeEvent } from './services/store-events.ts'
import { createCounter, logCounts, type StatusReport } from './status/counts.ts'
import { isStatusPath, serveStatus } from './status/serve.ts'
import { createStatusStream } from './status/stream.ts'
import type { TlsFront } from './tls/front.ts'
import { tlsFor } from './tls/of-policy.ts'
import { tlsFilesOf } from './tls/setting.ts'
import { inTurn } from './turns.ts'
import { behindNow } from './upstream/behind.ts'
import { upstreamOptions } from './upstream/defaults.ts'
import { reasonOf } from './upstream/failure.ts'
import { type Asked, createForwarder } from './upstream/forward.ts'

// A local certificate has a month left when it is renewed.
const TEND_MS = 3_600_000
const STATE_FOLDER = '.sallyport'

// A file beside the policy that can't be read costs its part of the page, not the gateway.
function factsBeside(folder: string): ReturnType<typeof factsIn> {
  try {
    return factsIn(folder)
  } catch {
    return {}
  }
}

/**
 * Starts a gateway.
 *
 * @throws PolicyError where the policy or the upstreams are wrong, TypeError where there is no upstream or a file of its
 * can't be used, the system's error where the port can't be had
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  checkOwnPlaces(options)
  const { places, stateFolder = STATE_FOLDER, processes = 1 } = options
  const tell = (event: GatewayEvent): void => {
    try {
      options.log?.(event)
    } catch {
      // A log that can't be written must cost neither a request nor the store.
    }
  }
  const opened =
    places &&
    (await openServices(places, stateFolder, processes, process.env, {
      onCountersAway: (isAway) =>
        tell({
          event: isAway ? 'counters-away' : 'counters-back',
          requestId: '',
          route: '',
          reason: isAway ? 'their server does not answer' : 'their server answers',
        }),
      onStore: (event) => tell(storeEvent(event)),
    }))
  const delay = eventLoopDelay()
  const end = async () => {
    delay.stop()
    await opened?.close()
  }
  try {
    const services = { load: delay.load, ...opened?.services, ...options.services }
    return await run({ ...options, log: tell, services }, opened, end)
  } catch (error) {
    await end()
    throw error
  }
}

async function run(
  options: GatewayOptions,
  opened: OpenServices | undefined,
  end: () => Promise<void>,
): Promise<Gateway> {
  const clock = options.clock ?? Date.now
  const { postureFolder } = options
  if (postureFolder !== undefined)
    publishFacts(() => {
      const lastBackup = opened?.backups?.last()
      return {
        ...factsBeside(postureFolder),
        ...(lastBackup ? { lastBackup } : {}),
        backups: opened?.backups ? 'made' : 'no folder',
      }
    })
  const upstreams = await upstreamOptions(options)
  const behind = behindNow(options, upstreams, () => forwarder)
  const counter = createCounter()
  let draining = false
  // Certificates can change where the policy can't.
  const source =
    options.source ??
    (tlsFilesOf(options.tls).length > 0
      ? { name: 'the policy', files: [], load: async () => ({ policy: options.policy }) }
      : undefined)
  const log = (event: GatewayEvent): void => options.log?.(event)
  const operation = await createOperation({
    policy: options.policy,
    clock,
    source,
    accessLog: options.accessLog ?? false,
    ...(options.services ? { services: options.services } : {}),
    ...(options.credentialKey ? { credentialKey: options.credentialKey } : {}),
    configure: behind.configure,
    prepare: async () => (await tls?.prepare()) ?? (() => []),
    facts,
    drain: options.onDrain ?? (() => void gateway.close()),
    onJudged(isRefused) {
      counter.add('total')
      if (isRefused) counter.add('refused')
    },
    onReload(outcome) {
      const reason = outcome.ok
        ? [outcome.policyDigest, ...outcome.notes].join('; ')
        : outcome.problems.join('\n')
      log({ event: outcome.ok ? 'reloaded' : 'reload-refused', requestId: '', route: '', reason })
      useSignals()
      void tellOfPolicy(outcome, guard.policy.document)
      stream.changed()
    },
  })
  const { guard, observer } = operation
  const tellOfPolicy = policyEvents(options.services?.audit, guard.policy.document)
  // What counts against whom is the policy's to say.
  const useSignals = () => {
    options.services?.risk?.use(signalsOf(guard.policy))
    opened?.alerts.at(alertLevelsOf(guard.policy))
    opened?.backups?.use(scheduleOf(guard.policy))
    opened?.retention?.keep(retentionOf(guard.policy))
  }
  useSignals()

  const report = (): StatusReport => ({
    status: draining ? 'draining' : 'ok',
    version: operation.version,
    policyDigest: operation.policyDigest,
    startedAt: operation.startedAt,
    requests: { ...counter.counts },
    ...logCounts(opened?.audit?.state),
  })
  const stream = createStatusStream(clock().toString(36), () => JSON.stringify(report()), options.timers)
  counter.onChange(() => stream.changed())
  opened?.onLog(() => stream.changed())

  // A clock that is given is moved by whoever gave it.
  const stopClockWatch =
    options.clock === undefined
      ? watchClock((byMs) => {
          const seconds = Math.round(byMs / 1_000)
          log({ event: 'clock-jumped', requestId: '', route: '', reason: `by ${seconds} s` })
          options.services?.audit?.record({
            action: 'clock.jumped',
            outcome: 'success',
            details: { seconds },
          })
        })
      : () => {}
  const refusals = createRefusals((reason) => {
    log({ event: 'connection-refused', requestId: '', route: '', reason })
  }, clock)
  const tls: TlsFront | undefined = await tlsFor(guard, options, {
    clock,
    onRefused: (why) => refusals.add(why),
    onFault: (reason) => log({ event: 'tls-fault', requestId: '', route: '', reason }),
  }).catch(async (error: unknown) => {
    stopClockWatch()
    await operation.close()
    throw error
  })
  const tending = tls && setInterval(() => void tls.tend(), TEND_MS).unref()
  const { proxyProtocol } = options.listen
  const listener = createListener(guard, {
    tls,
    ...(options.http2 === undefined ? {} : { http2: options.http2 }),
    ...(proxyProtocol ? { proxyProtocol } : {}),
    ...(options.reading ? { reading: options.reading } : {}),
    onRequestRefused: observer.begin,
    onConnectionRefused: (why) => refusals.add(`proxy-protocol: ${why}`),
  })
  const { server } = listener
  const certificateState = certificateWatch(() => tls?.served ?? [], clock)
  observer.watch(server)
  const onFailure = (exchange: Exchange, reason: string): void => {
    counter.add('failed')
    operation.upstreamFailed(exchange, reason)
    log({ event: 'upstream-failed', requestId: exchange.requestId, route: exchange.cell.id, reason })
  }
  const answerLeaks = keyLeaks(options.services ?? {})
  const forwarder = createForwarder(upstreams, options.routes, onFailure)

  const take = (asked?: Asked) => (request: IncomingMessage, response: ServerResponse) => {
    // Node reports a write on a connection that is gone as an error of the response; nobody is left to read it.
    response.on('error', () => {})
    inTurn(request, response, () => answer(request, response, asked))
  }
  server.on('request', take())
  server.on('checkContinue', take({ toContinue: true }))
  takeUpgrades(
    server,
    () => guard.current,
    (request, response, ahead) => {
      observer.begin(request, response)
      answer(request, response, { ahead })
    },
  )

  function answer(request: IncomingMessage, response: ServerResponse, asked?: Asked): void {
    const exchange = exchangeOf(response)!
    if (draining) response.shouldKeepAlive = false
    try {
      if (options.status === true && isStatusPath(exchange.path))
        serveStatus(request, response, exchange, report, stream)
      else if (!answerLeaks(request, response, exchange))
        forwarder.forward(request, response, exchange, asked)
    } catch (error) {
      const { requestId, cell } = exchange
      log({ event: 'handler-failed', requestId, route: cell.id, reason: reasonOf(error) })
      if (response.headersSent) request.socket.destroy()
      else respondWithCode(request, response, exchange, 'internal')
    }
  }

  const failed = async (error: unknown): Promise<never> => {
    stopClockWatch()
    clearInterval(tending)
    await operation.close()
    await forwarder.destroy()
    throw error
  }
  const address = await listenOn(server, options.listen).catch(failed)
  // A process out of file descriptors can't accept, and goes on when some are free again.
  server.on('error', (error) => {
    log({ event: 'accept-failed', requestId: '', route: '', reason: reasonOf(error) })
  })
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  let closing: Promise<{ brokenOff: number }> | undefined
  let admin: AdminListener | undefined

  function facts(): GatewayFacts {
    const certificate = certificateState()
    const state = upstreamsState(forwarder.report())
    return {
      isDraining: draining,
      connections: listener.connections(),
      notReady: [...certificate.notReady, ...(opened?.notReady() ?? [])],
      warnings: [
        ...certificate.warnings,
        ...state.warnings,
        ...(opened?.warnings() ?? []),
        ...(opened?.backups ? [] : unkeptSchedule(guard.policy)),
      ],
      ...(opened?.backups ? { lastBackup: opened.backups.age() } : {}),
      families: [
        ...certificate.families,
        ...state.families,
        refusals.family(),
        ...(opened?.families() ?? []),
      ],
      configuration: {
        listen: options.listen,
        ...behind.shown,
        ...(options.tls && !('cert' in options.tls) ? { tls: options.tls } : {}),
        admin: options.admin ?? false,
        ...(options.places ? shownPlaces(options.places) : {}),
      },
    }
  }

  async function close({
    graceMs = DEFAULT_GRACE_MS,
    waitMs = 0,
    lingerMs = 0,
  }: CloseOptions): Promise<{ brokenOff: number }> {
    draining = true
    watching?.close()
    stopClockWatch()
    clearInterval(tending)
    // A front that asks for readiness goes on sending until it has asked again.
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    stream.close()
    const brokenOff = await drainConnections(listener, forwarder, { graceMs, lingerMs })
    await admin?.close()
    await operation.close()
    await end()
    return { brokenOff }
  }

  const gateway: Gateway = {
    url: `${'setSecureContext' in server ? 'https' : 'http'}://${host}:${address.port}`,
    address,
    get wouldDo() {
      return guard.wouldDo
    },
    get adminUrl() {
      return admin?.url
    },
    plane: operation.plane,
    upstreams: forwarder.report,
    reload: operation.reload,
    reopenLog: operation.reopenLog,
    close: (how = {}) => (closing ??= close(how)),
  }
  const files = [...(source?.files ?? []), ...tlsFilesOf(options.tls)]
  const watching =
    options.watch === false || files.length === 0
      ? undefined
      : await watchFiles(files, () => void operation.reload())
  if (options.admin !== undefined && options.admin !== false)
    admin = await startAdmin(options.admin, operation.plane).catch(async (error: unknown) => {
      await gateway.close({ graceMs: 0 })
      throw error
    })
  return gateway
}
