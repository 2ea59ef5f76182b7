// How far a run is, how fast, and how long it still takes: samples in, one line of text out.
#pragma once
#include <cstdint>
#include <deque>
#include <string>

namespace limrisk {

/// A sample of a run's state, the blocks in flight included.
struct Progress {
    double seconds = 0;        ///< since the run began
    double cost_total = 0;     ///< predicted work of all trials of the campaign, lane instructions
    double cost_before = 0;    ///< of those that the store held at the beginning
    double cost_done = 0;      ///< of this run so far
    double replica_steps = 0;  ///< of this run so far
    std::int64_t cells_done = 0, cells_total = 0;
    std::int64_t trials_done = 0, trials_total = 0;  ///< committed, those from before included
    bool at_most = false;                            ///< a rule may end cells before, so the totals may shrink
    bool stopping = false;                           ///< waiting for the blocks in flight after a signal
};

/// Smooths the speed over the last seconds and predicts the end from the speed of the whole run.
class ProgressMeter {
public:
    void add(const Progress& sample);
    const Progress& latest() const { return latest_; }
    /// Done share of all work, 0..1.
    double fraction() const;
    /// Replica-steps per second over the last 5 s.
    double speed() const;
    /// Seconds left at the speed of this run so far; negative while nothing is known.
    double seconds_left() const;

private:
    Progress latest_;
    std::deque<Progress> recent_;
};

/// "[=====>    ]  42 %  cells 12/35  1.23e7 replica-steps/s  1:10 left", at most `columns` wide (the bar shrinks, then the line is cut).
std::string progress_line(const ProgressMeter& meter, int columns);

/// "[=====>    ]" and the text behind it, at most `columns` wide.
std::string bar_line(double fraction, const std::string& text, int columns);

/// For time left: "1:05", "2:03:04", "3 days"; "--:--" for a negative number.
std::string clock_text(double seconds);

/// For time taken or predicted: "0.2 s" below ten seconds, then as clock_text.
std::string duration_text(double seconds);

/// "1.23e7".
std::string speed_text(double per_second);

}  // namespace limrisk
