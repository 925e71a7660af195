/** WebSocket close codes (RFC 6455 section 7.4); the 4xxx are ours. */
export const closeCodes = {
  goingAway: 1001,
  tryLater: 1013,
  notSignedIn: 4401,
  sessionEnded: 4403,
} as const;
