/** The port is taken; `code` is "EADDRINUSE" as in the system's own error, which is the `cause`. */
export class PortInUseError extends Error {
  readonly code = "EADDRINUSE";
  readonly port: number;
  readonly protocol: "udp" | "tcp";

  constructor(port: number, protocol: "udp" | "tcp", cause: unknown) {
    super(`${protocol.toUpperCase()} port ${port} is in use`, { cause });
    this.name = "PortInUseError";
    this.port = port;
    this.protocol = protocol;
  }
}

/** The system's error, or the clearer one when the port is taken. */
export function explainBindError(error: unknown, port: number, protocol: "udp" | "tcp"): unknown {
  const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  return inUse ? new PortInUseError(port, protocol, error) : error;
}
