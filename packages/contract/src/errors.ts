/**
 * The closed table of error codes. Every failure that leaves the server carries one of them.
 * `fault` says who has to act: the caller, the remote side, or us.
 */
export const errorCodes = {
  bad_input: { status: 400, fault: 'bad-input', title: 'The request is not valid' },
  not_signed_in: { status: 401, fault: 'denied', title: 'Not signed in' },
  denied: { status: 403, fault: 'denied', title: 'Not allowed' },
  setup_closed: { status: 403, fault: 'denied', title: 'The set-up window is closed' },
  origin_refused: { status: 403, fault: 'denied', title: 'The request comes from another origin' },
  not_found: { status: 404, fault: 'not-found', title: 'Not found' },
  conflict: { status: 409, fault: 'conflict', title: 'In conflict with the present state' },
  busy: { status: 409, fault: 'conflict', title: 'Another operation is at work on this' },
  not_updatable: { status: 409, fault: 'conflict', title: 'This container cannot be updated' },
  fidelity_mismatch: { status: 409, fault: 'conflict', title: 'The new container would differ from the plan' },
  too_large: { status: 413, fault: 'bad-input', title: 'The request is too large' },
  unsupported_media_type: { status: 415, fault: 'bad-input', title: 'The content type is not supported' },
  too_many_requests: { status: 429, fault: 'denied', title: 'Too many requests' },
  internal: { status: 500, fault: 'bug', title: 'An error of ours' },
  engine_unreachable: { status: 502, fault: 'remote-sick', title: 'The Docker Engine does not answer' },
  engine_refused: { status: 502, fault: 'remote-sick', title: 'The Docker Engine refused the call' },
  registry_sick: { status: 502, fault: 'remote-sick', title: 'The registry does not answer as it should' },
  registry_denied: { status: 502, fault: 'remote-sick', title: 'The registry refused the credentials' },
  read_only: { status: 503, fault: 'remote-sick', title: 'The database cannot be written' },
  locked: { status: 503, fault: 'remote-sick', title: 'The stored secrets are locked' },
  disk_full: { status: 507, fault: 'remote-sick', title: 'The disk is full' },
} as const satisfies Record<string, { status: number; fault: FaultKind; title: string }>;

export type FaultKind = 'bad-input' | 'not-found' | 'conflict' | 'denied' | 'remote-sick' | 'bug';
export type ErrorCode = keyof typeof errorCodes;
