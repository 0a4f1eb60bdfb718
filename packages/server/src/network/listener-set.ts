import type { ErrorThrottle } from "./error-throttle.ts";
import type { ConnectionStatus, NetworkEventListener, NetworkPacket } from "./network-event-listener.ts";

/** The registered listeners: tells each, whatever the others do. */
export class ListenerSet {
  readonly #errors: ErrorThrottle;
  #listeners: readonly NetworkEventListener[] = [];

  constructor(errors: ErrorThrottle) {
    this.#errors = errors;
  }

  /** Somebody wants to hear of packets. */
  get wantsPackets(): boolean {
    return this.#listeners.some(
      (listener) => listener.onPacketSent !== undefined || listener.onPacketReceived !== undefined,
    );
  }

  /** Adding one twice is harmless. It hears from the next event on. */
  add(listener: NetworkEventListener): void {
    if (!this.#listeners.includes(listener)) this.#listeners = [...this.#listeners, listener];
  }

  /** False when it was not registered. */
  delete(listener: NetworkEventListener): boolean {
    const left = this.#listeners.filter((other) => other !== listener);
    const found = left.length < this.#listeners.length;
    this.#listeners = left;
    return found;
  }

  packetSent(packet: NetworkPacket, bytes: number): void {
    for (const listener of this.#listeners) {
      try {
        this.#watch("onPacketSent", listener.onPacketSent?.(packet, bytes));
      } catch (error) {
        this.#fail("onPacketSent", error);
      }
    }
  }

  packetReceived(packet: NetworkPacket, bytes: number): void {
    for (const listener of this.#listeners) {
      try {
        this.#watch("onPacketReceived", listener.onPacketReceived?.(packet, bytes));
      } catch (error) {
        this.#fail("onPacketReceived", error);
      }
    }
  }

  statusChanged(connectionId: number, status: ConnectionStatus): void {
    for (const listener of this.#listeners) {
      try {
        this.#watch("onConnectionStatusChanged", listener.onConnectionStatusChanged?.(connectionId, status));
      } catch (error) {
        this.#fail("onConnectionStatusChanged", error);
      }
    }
  }

  networkError(connectionId: number, message: string): void {
    for (const listener of this.#listeners) {
      try {
        this.#watch("onNetworkError", listener.onNetworkError?.(connectionId, message));
      } catch (error) {
        this.#fail("onNetworkError", error);
      }
    }
  }

  #watch(method: keyof NetworkEventListener, result: unknown): void {
    if (result instanceof Promise) result.catch((error: unknown) => this.#fail(method, error));
  }

  #fail(method: keyof NetworkEventListener, error: unknown): void {
    this.#errors.report(`network listener's ${method}`, error);
  }
}
