// How many kernels to submit at once, so that a submission takes the device a chosen time whatever the cell: long enough that launches
// cost nothing, short enough that Ctrl-C, progress and a display's watchdog never wait.
#pragma once
#include <algorithm>
#include <cstdint>

namespace limrisk::cuda {

class LaunchPace {
public:
    /// `aim`: seconds of a submission, 0.01 .. 0.2
    explicit LaunchPace(double aim) : aim_(aim) {}

    /// Seconds that the next submission may still take after `planned` of it; it begins with little and grows with what was measured.
    double left(double planned) const { return std::min(aim_, trust_) - planned; }
    double predicted_steps(std::int64_t steps) const { return static_cast<double>(steps) * step_seconds_; }
    double predicted_check() const { return check_seconds_; }
    /// Steps that fit into `seconds`, at least one.
    std::int64_t steps_in(double seconds) const {
        const double steps = seconds / step_seconds_;
        return steps < 1 ? 1 : steps > 1e12 ? std::int64_t{1000000000000} : static_cast<std::int64_t>(steps);
    }

    void measured_steps(std::int64_t steps, double seconds) { step_seconds_ = std::max(seconds / static_cast<double>(steps), smallest); }
    void measured_check(double seconds) { check_seconds_ = std::max(seconds, smallest); }
    void measured_submission(double seconds) { trust_ = std::max(trust_, std::min(aim_, 8 * seconds)); }

private:
    static constexpr double smallest = 1e-9;
    double aim_;
    double step_seconds_ = 1e-4, check_seconds_ = 1e-3;  // guesses until something was measured
    double trust_ = 1e-3;
};

}  // namespace limrisk::cuda
