/** The first byte of every application message. */
export const MessageKind = {
  /** Server, reliable: seat, tick and seed. */
  welcome: 1,
  /** Server, unreliable: one snapshot. */
  snapshot: 2,
  /** Client, unreliable: inputs, view stamps and the acknowledgement of snapshots. */
  inputs: 3,
  /** Either side: a typed message. */
  message: 4,
  /** Either side: a call and its answer. */
  call: 5,
  reply: 6,
  /** Reserved for measurements of time. */
  time: 7,
  /** Server: an event that a step emitted. */
  event: 10,
  /** Either side, reliable: a question or answer of the debug channel. */
  debug: 8,
} as const;
