/* An echo over ENet, unreliable, as its users write it. `enet-echo server` or `enet-echo client <port>`. Links with -lenet. */
#include "peer.h"

#include <enet/enet.h>
#include <pthread.h>

static ENetHost *host;
static ENetPeer *server;
static struct window window;

enum { NEVER_MS = 1 << 30 };

/* ENet drops unreliable packets of its own accord when round trips vary; on loopback that would only cost echoes. And
 * the client does not serve its host between two runs, which must not end the connection. */
static void set_up(ENetPeer *peer) {
  enet_peer_throttle_configure(peer, ENET_PEER_PACKET_THROTTLE_INTERVAL, ENET_PEER_PACKET_THROTTLE_SCALE, 0);
  enet_peer_ping_interval(peer, NEVER_MS);
  enet_peer_timeout(peer, NEVER_MS, NEVER_MS, NEVER_MS);
}

static void serve(void) {
  ENetAddress address = {.port = ENET_PORT_ANY};
  enet_address_set_host(&address, "127.0.0.1");
  host = enet_host_create(&address, 64, 2, 0, 0);
  if (host == NULL) fail("enet_host_create");
  enet_socket_get_address(host->socket, &address);
  printf("{\"port\":%d}\n", address.port);
  fflush(stdout);
  pthread_t commands;
  if (pthread_create(&commands, NULL, answer_cpu, NULL) != 0) fail("pthread_create");
  for (;;) {
    ENetEvent event;
    if (enet_host_service(host, &event, 1000) <= 0) continue;
    if (event.type == ENET_EVENT_TYPE_CONNECT) set_up(event.peer);
    if (event.type != ENET_EVENT_TYPE_RECEIVE) continue;
    /* The received packet goes back as it is, which saves a copy. */
    event.packet->flags = 0;
    if (enet_peer_send(event.peer, event.channelID, event.packet) != 0) enet_packet_destroy(event.packet);
  }
}

static void send_message(const uint8_t message[MESSAGE_BYTES]) {
  ENetPacket *packet = enet_packet_create(message, MESSAGE_BYTES, 0);
  if (enet_peer_send(server, 0, packet) != 0) enet_packet_destroy(packet);
}

/* Everything that has come in, then one look at the clock. */
static void turn(void) {
  ENetEvent event;
  int more = enet_host_service(host, &event, 50);
  window_tick(&window);
  for (; more > 0; more = enet_host_check_events(host, &event)) {
    if (event.type == ENET_EVENT_TYPE_DISCONNECT) exit(1);
    if (event.type != ENET_EVENT_TYPE_RECEIVE) continue;
    window_answered(&window, event.packet->data, event.packet->dataLength);
    enet_packet_destroy(event.packet);
  }
  enet_host_flush(host);
}

int main(int argc, char **argv) {
  if (enet_initialize() != 0) fail("enet_initialize");
  if (argc < 3) {
    serve();
    return 0;
  }
  ENetAddress address = {.port = (enet_uint16)atoi(argv[2])};
  enet_address_set_host(&address, "127.0.0.1");
  host = enet_host_create(NULL, 1, 2, 0, 0);
  if (host == NULL) fail("enet_host_create");
  server = enet_host_connect(host, &address, 2, 0);
  ENetEvent event;
  if (enet_host_service(host, &event, 3000) <= 0 || event.type != ENET_EVENT_TYPE_CONNECT) fail("connect");
  set_up(server);
  window.send = send_message;
  window_commands(&window, turn);
  return 0;
}
