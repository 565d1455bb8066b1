// `sallyport/lockout`: counting guesses at passwords and codes before they are verified.

export type { Challenge, Challenged, Challenges, SolvedChallenge } from '../ports/challenges.ts'
export type {
  Guess,
  GuessDevice,
  LockoutNumbers,
  LockoutStore,
  Reservation,
  Solution,
  SurgeNumbers,
} from '../ports/lockouts.ts'
export { DEVICE_COOKIE, deviceCookie, deviceTokenIn } from './device-token.ts'
export {
  type Attempt,
  type AttemptFacts,
  createLockout,
  type Lockout,
  type LockoutOptions,
  verifyEqually,
} from './engine.ts'
export { type MemoryLockoutsOptions, memoryLockouts } from './memory.ts'
export { normaliseName } from './normalise.ts'
export { budget, budgetSentence, guessTimes, lockoutDefaults, surgeDefaults, waitSeconds } from './numbers.ts'
export { type PuzzleNumbers, puzzleDefaults } from './puzzle.ts'
