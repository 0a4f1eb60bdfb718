// Preloaded by faults.child.ts: makes the system calls of sockets fail as the variable FAULTS says at that moment.
//   full        the send queue takes nothing
//   full-after  it takes one message of each call that brings several, and none of one that brings one
//   no-gso      messages of several packets are refused, as by a network card that cannot take them apart
//   gone        messages that must leave from a certain address are refused, as if it was ours no more
//   unreachable there is no route
//   no-memory   nothing is taken, and no event will tell
//   interrupted the first attempt of each call is interrupted by a signal
//   small-path  packets of more than 1,000 bytes are refused
//   receive     receiving reports an error of an earlier send, once
//   old-kernel  options that came after Linux 3 are not known
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int is(const char* fault) {
  const char* now = getenv("FAULTS");
  return now != NULL && strcmp(now, fault) == 0;
}

static int has(struct msghdr* message, int level, int type) {
  for (struct cmsghdr* at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level == level && at->cmsg_type == type) return 1;
  }
  return 0;
}

/** The error that this message meets now, or 0. */
static int fault_of(struct msghdr* message) {
  if (is("full")) return EAGAIN;
  if (is("no-memory")) return ENOBUFS;
  if (is("unreachable")) return ENETUNREACH;
  if (is("no-gso") && has(message, IPPROTO_UDP, 103)) return EIO;
  if (is("gone") && (has(message, SOL_IP, IP_PKTINFO) || has(message, SOL_IPV6, IPV6_PKTINFO))) return EINVAL;
  if (is("small-path")) {
    for (size_t i = 0; i < message->msg_iovlen; i += 1) {
      if (message->msg_iov[i].iov_len > 1000) return has(message, IPPROTO_UDP, 103) ? EINVAL : EMSGSIZE;
    }
  }
  return 0;
}

static int interrupted = 0;

int sendmmsg(int fd, struct mmsghdr* messages, unsigned count, int flags) {
  static int (*real)(int, struct mmsghdr*, unsigned, int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "sendmmsg");
  if (is("interrupted") && (interrupted ^= 1)) return errno = EINTR, -1;
  if (is("full-after")) {
    if (count > 1) return real(fd, messages, 1, flags);
    return errno = EAGAIN, -1;
  }
  unsigned good = 0;
  while (good < count && fault_of(&messages[good].msg_hdr) == 0) good += 1;
  // As in the kernel: an error shows only when it is the first message's.
  if (good == 0 && count > 0) return errno = fault_of(&messages[0].msg_hdr), -1;
  return real(fd, messages, good, flags);
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  static ssize_t (*real)(int, const struct msghdr*, int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "sendmsg");
  const int error = fault_of((struct msghdr*)message);
  if (error != 0) return errno = error, -1;
  return real(fd, message, flags);
}

int recvmmsg(int fd, struct mmsghdr* messages, unsigned count, int flags, struct timespec* timeout) {
  static int (*real)(int, struct mmsghdr*, unsigned, int, struct timespec*);
  static int told = 0;
  if (real == NULL) real = dlsym(RTLD_NEXT, "recvmmsg");
  if (is("receive") && (told ^= 1)) return errno = ECONNREFUSED, -1;
  return real(fd, messages, count, flags, timeout);
}

int setsockopt(int fd, int level, int option, const void* value, socklen_t length) {
  static int (*real)(int, int, int, const void*, socklen_t);
  if (real == NULL) real = dlsym(RTLD_NEXT, "setsockopt");
  if (is("old-kernel") && (level == IPPROTO_UDP || option == IP_MTU_DISCOVER)) return errno = ENOPROTOOPT, -1;
  return real(fd, level, option, value, length);
}
