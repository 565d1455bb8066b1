// A real Chromium, driven over the DevTools protocol: go somewhere, go back, read what a person would see.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** True where Chromium is installed. */
export function hasChromium(): boolean {
  return spawnSync('sh', ['-c', 'command -v chromium'], { stdio: 'ignore' }).status === 0
}

/** One tab. */
export interface Tab {
  goto(url: string): Promise<void>
  back(): Promise<void>
  /** The text that the page shows. */
  text(): Promise<string>
  /** Evaluates an expression in the page; promises are awaited. */
  evaluate(expression: string): Promise<unknown>
  /** Calls a method of the DevTools protocol. */
  call(method: string, params?: object): Promise<unknown>
  close(): Promise<void>
}

type Message = {
  id?: number
  method?: string
  params?: unknown
  result?: unknown
  error?: { message: string }
  sessionId?: string
}

/** Starts a browser with an empty profile and opens a tab. */
export async function openTab(): Promise<Tab> {
  const profile = mkdtempSync(join(tmpdir(), 'sallyport-chromium-'))
  const browser = spawn(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  process.once('exit', () => browser.kill('SIGKILL'))
  const socket = new WebSocket(await endpoint(browser))
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error('no connection to Chromium')))
  })
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  const listeners = new Set<(message: Message) => void>()
  socket.addEventListener('message', (event) => {
    const message = JSON.parse(String(event.data)) as Message
    const call = message.id === undefined ? undefined : waiting.get(message.id)
    if (call) {
      waiting.delete(message.id!)
      if (message.error) call.reject(new Error(message.error.message))
      else call.resolve(message.result)
    }
    for (const listener of listeners) listener(message)
  })
  let lastId = 0
  const call = (method: string, params: object = {}, sessionId?: string) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(++lastId, { resolve, reject })
      socket.send(JSON.stringify({ id: lastId, method, params, ...(sessionId ? { sessionId } : {}) }))
    })
  const { targetId } = (await call('Target.createTarget', { url: 'about:blank' })) as { targetId: string }
  const { sessionId } = (await call('Target.attachToTarget', { targetId, flatten: true })) as {
    sessionId: string
  }
  await call('Page.enable', {}, sessionId)

  // A page restored from the back/forward cache fires no load event, but its frame is navigated all the same.
  const arrival = () =>
    new Promise<void>((resolve) => {
      const listener = (message: Message) => {
        const restored =
          message.method === 'Page.frameNavigated' &&
          (message.params as { type?: string }).type === 'BackForwardCacheRestore'
        if (message.method !== 'Page.loadEventFired' && !restored) return
        listeners.delete(listener)
        resolve()
      }
      listeners.add(listener)
    })
  const evaluate = async (expression: string) => {
    const { result } = (await call(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true },
      sessionId,
    )) as { result: { value: unknown } }
    return result.value
  }
  return {
    async goto(url) {
      const arrived = arrival()
      await call('Page.navigate', { url }, sessionId)
      await arrived
    },
    async back() {
      const { currentIndex, entries } = (await call('Page.getNavigationHistory', {}, sessionId)) as {
        currentIndex: number
        entries: { id: number }[]
      }
      const arrived = arrival()
      await call('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1]!.id }, sessionId)
      await arrived
    },
    evaluate,
    call: (method, params = {}) => call(method, params, sessionId),
    text: async () => String(await evaluate('document.body.innerText')),
    async close() {
      const ended = new Promise((resolve) => browser.once('exit', resolve))
      browser.kill()
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

function endpoint(browser: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    browser.stderr!.on('data', (chunk: Buffer) => {
      text += chunk
      const match = /DevTools listening on (\S+)/.exec(text)
      if (match) resolve(match[1]!)
    })
    browser.once('exit', (code) => reject(new Error(`Chromium ended with ${code}\n${text}`)))
  })
}
