// Signal handlers; lock-free atomics are all they touch.
#include "cli/signals.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace limrisk::cli {
namespace {

struct StopSignal {
    int number;
    const char* name;
    ExitCode code;
};

/// SIGUSR1 is what clusters send before the time of a job is up: to be continued.
constexpr std::array<StopSignal, 4> stop_signals{{
    {SIGINT, "SIGINT", ExitCode::Interrupted},
    {SIGTERM, "SIGTERM", ExitCode::Terminated},
    {SIGHUP, "SIGHUP", ExitCode::HungUp},
    {SIGUSR1, "SIGUSR1", ExitCode::Busy},
}};

std::atomic<int> request_count{0};
std::atomic<int> first{0};
static_assert(std::atomic<int>::is_always_lock_free);
std::array<struct sigaction, stop_signals.size()> before;

extern "C" void count_signal(int number) {
    int none = 0;
    first.compare_exchange_strong(none, number);
    request_count.fetch_add(1);
}

const StopSignal& known(int number) {
    for (const StopSignal& signal : stop_signals)
        if (signal.number == number) return signal;
    return stop_signals.front();
}

}  // namespace

StopSignals::StopSignals() {
    request_count = 0;
    first = 0;
    struct sigaction action {};
    action.sa_handler = count_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (std::size_t k = 0; k < stop_signals.size(); ++k) {
        sigaction(stop_signals[k].number, nullptr, &before[k]);
        if (stop_signals[k].number == SIGHUP && before[k].sa_handler == SIG_IGN) continue;
        sigaction(stop_signals[k].number, &action, nullptr);
    }
}

StopSignals::~StopSignals() {
    for (std::size_t k = 0; k < stop_signals.size(); ++k) sigaction(stop_signals[k].number, &before[k], nullptr);
}

const std::atomic<int>& StopSignals::requests() const { return request_count; }
int StopSignals::first_signal() const { return first; }

const char* signal_name(int signal) { return known(signal).name; }
ExitCode signal_exit_code(int signal) { return known(signal).code; }

void prepare_process() {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // The lowest free one is what open() gives. Read-only: results written there are an error still.
        if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) [[maybe_unused]]
            const int taken = ::open("/dev/null", O_RDONLY);
    }
}

}  // namespace limrisk::cli
