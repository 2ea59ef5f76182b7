// SIGINT and SIGTERM as a number that a run looks at. The handler does nothing else.
#pragma once
#include <atomic>

namespace limrisk::cli {

/// While it lives, SIGINT and SIGTERM only count; afterwards they do what they did before. One at a time.
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

/// A closed pipe shows as an error of write() instead of ending the program.
void ignore_broken_pipes();

}  // namespace limrisk::cli
