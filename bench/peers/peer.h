/* What the C peers share: their commands on stdin, CPU time, and the window of messages under way (see
 * bench/src/transport/echo-window.ts and message.ts, which do the same). */
#ifndef RIPOSTE_BENCH_PEER_H
#define RIPOSTE_BENCH_PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MESSAGE_BYTES = 64, MAX_WINDOW = 1024 };

static const double LOST_AFTER_SECONDS = 0.3;

static double cpu_micros(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static double now_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* The server's commands, in a thread of their own so that the echo loop does nothing but echo: every line asks for the
 * CPU time; the end of stdin ends the process. */
static inline void *answer_cpu(void *unused) {
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    printf("{\"cpuMicros\":%.0f}\n", cpu_micros());
    fflush(stdout);
  }
  exit(0);
  return unused;
}

/* The client's window. A slot's message is answered by the same slot and generation; anything else is a stray. */
struct window {
  uint32_t size, generation[MAX_WINDOW];
  double sent_at[MAX_WINDOW];
  double now, stop_at, check_at;
  uint32_t under_way;
  double echoes, lost;
  int running;
  void (*send)(const uint8_t message[MESSAGE_BYTES]);
};

static inline void window_send(struct window *window, uint32_t slot) {
  uint8_t message[MESSAGE_BYTES] = {0};
  memcpy(message, &slot, 4);
  memcpy(message + 4, &window->generation[slot], 4);
  window->sent_at[slot] = window->now;
  window->send(message);
}

static inline void window_go_on(struct window *window, uint32_t slot) {
  window->generation[slot]++;
  if (window->running) {
    window_send(window, slot);
    return;
  }
  window->sent_at[slot] = 1e300;
  window->under_way--;
}

static inline void window_start(struct window *window, uint32_t size, double seconds) {
  window->size = size < MAX_WINDOW ? size : MAX_WINDOW;
  window->under_way = window->size;
  window->echoes = window->lost = 0;
  window->running = 1;
  window->now = now_seconds();
  window->stop_at = window->now + seconds;
  window->check_at = window->now + 0.1;
  for (uint32_t slot = 0; slot < window->size; slot++) window_send(window, slot);
}

static inline void window_answered(struct window *window, const uint8_t *bytes, size_t length) {
  uint32_t slot, generation;
  if (length != MESSAGE_BYTES) return;
  memcpy(&slot, bytes, 4);
  memcpy(&generation, bytes + 4, 4);
  if (slot >= window->size || generation != window->generation[slot]) return;
  window->echoes++;
  window_go_on(window, slot);
}

/* To be called once per wake-up. */
static inline void window_tick(struct window *window) {
  window->now = now_seconds();
  if (window->now >= window->stop_at) window->running = 0;
  if (window->now < window->check_at) return;
  window->check_at = window->now + 0.1;
  for (uint32_t slot = 0; slot < window->size; slot++) {
    if (window->sent_at[slot] > window->now - LOST_AFTER_SECONDS) continue;
    window->lost++;
    window_go_on(window, slot);
  }
}

/* Reads commands "echo <window> <milliseconds>" and answers each with what `turn`, called until nothing is under way,
 * has brought about. Then returns. */
static inline void window_commands(struct window *window, void (*turn)(void)) {
  char line[128];
  printf("{}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    unsigned size = 1;
    double milliseconds = 0;
    if (sscanf(line, "echo %u %lf", &size, &milliseconds) != 2) continue;
    double cpu = cpu_micros();
    double start = now_seconds();
    window_start(window, size, milliseconds / 1000);
    while (window->under_way > 0) turn();
    printf("{\"echoes\":%.0f,\"bytes\":%.0f,\"lost\":%.0f,\"seconds\":%.6f,\"cpuMicros\":%.0f}\n", window->echoes,
           window->echoes * MESSAGE_BYTES, window->lost, now_seconds() - start, cpu_micros() - cpu);
    fflush(stdout);
  }
}

#endif
