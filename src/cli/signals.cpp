// Signal handlers; lock-free atomics are all they touch.
#include "cli/signals.hpp"

#include <csignal>

namespace limrisk::cli {
namespace {

std::atomic<int> request_count{0};
std::atomic<int> first{0};
static_assert(std::atomic<int>::is_always_lock_free);
struct sigaction old_interrupt, old_terminate;

extern "C" void count_signal(int number) {
    int none = 0;
    first.compare_exchange_strong(none, number);
    request_count.fetch_add(1);
}

}  // namespace

StopSignals::StopSignals() {
    request_count = 0;
    first = 0;
    struct sigaction action {};
    action.sa_handler = count_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, &old_interrupt);
    sigaction(SIGTERM, &action, &old_terminate);
}

StopSignals::~StopSignals() {
    sigaction(SIGINT, &old_interrupt, nullptr);
    sigaction(SIGTERM, &old_terminate, nullptr);
}

const std::atomic<int>& StopSignals::requests() const { return request_count; }
int StopSignals::first_signal() const { return first; }

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace limrisk::cli
