// Who runs a command, as the records and the log name him: the account of the operating system. Whoever may run it may do
// anything to the store, so it is a name and no proof.

import { userInfo } from 'node:os'

/** `command:alice`; `command:uid 1000` where the account has no name, as in many containers. */
export function operator(): string {
  try {
    return `command:${userInfo().username}`
  } catch {
    return `command:uid ${process.getuid?.() ?? 'unknown'}`
  }
}
