/* The bare minimum of an echo over UDP: recvfrom, sendto, nothing else. `udp-echo server` or `udp-echo client <port>`. */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static int file;
static struct sockaddr_in server_address;
static struct window window;

static void serve(void) {
  socklen_t length = sizeof server_address;
  if (bind(file, (struct sockaddr *)&server_address, length) != 0) fail("bind");
  getsockname(file, (struct sockaddr *)&server_address, &length);
  printf("{\"port\":%d}\n", ntohs(server_address.sin_port));
  fflush(stdout);
  pthread_t commands;
  if (pthread_create(&commands, NULL, answer_cpu, NULL) != 0) fail("pthread_create");
  uint8_t bytes[2048];
  for (;;) {
    struct sockaddr_in peer;
    socklen_t peer_length = sizeof peer;
    ssize_t count = recvfrom(file, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &peer_length);
    if (count > 0) sendto(file, bytes, (size_t)count, 0, (struct sockaddr *)&peer, peer_length);
  }
}

static void send_message(const uint8_t message[MESSAGE_BYTES]) {
  sendto(file, message, MESSAGE_BYTES, 0, (struct sockaddr *)&server_address, sizeof server_address);
}

static void turn(void) {
  uint8_t bytes[2048];
  ssize_t count = recvfrom(file, bytes, sizeof bytes, 0, NULL, NULL);
  window_tick(&window);
  if (count > 0) window_answered(&window, bytes, (size_t)count);
}

int main(int argc, char **argv) {
  file = socket(AF_INET, SOCK_DGRAM, 0);
  if (file < 0) fail("socket");
  int bytes = 4 << 20;
  setsockopt(file, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  server_address.sin_family = AF_INET;
  server_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (argc < 3) {
    serve();
    return 0;
  }
  server_address.sin_port = htons((uint16_t)atoi(argv[2]));
  struct timeval patience = {.tv_usec = 50000};
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  window.send = send_message;
  window_commands(&window, turn);
  return 0;
}
