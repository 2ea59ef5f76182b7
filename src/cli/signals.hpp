// SIGINT, SIGTERM, SIGHUP and SIGUSR1 as a number that a run looks at. The handler does nothing else.
#pragma once
#include <atomic>

#include "limrisk/error.hpp"

namespace limrisk::cli {

/// While it lives, these signals only count; afterwards they do what they did before. One at a time. A SIGHUP that was ignored when the
/// program began (nohup) stays ignored. Nothing that may wait for a reader, such as print(), belongs into its life.
class StopSignals {
public:
    StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals();
    /// Signals so far.
    const std::atomic<int>& requests() const;
    /// The first of them, 0 if none.
    int first_signal() const;
};

/// "SIGTERM", and the exit code of a program that it stopped.
const char* signal_name(int signal);
ExitCode signal_exit_code(int signal);

/// A closed pipe and a file that may not grow show as an error of write() instead of ending the program, and descriptors 0 to 2 that are
/// closed are taken, so that no file that is opened later gets the place of stdout or stderr. First thing in main.
void prepare_process();

}  // namespace limrisk::cli
