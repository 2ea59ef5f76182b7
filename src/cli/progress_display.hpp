// Shows a run's progress on stderr: one line that renews itself on a terminal, a plain line every ten seconds elsewhere.
#pragma once
#include <functional>
#include <string>

#include "driver/progress.hpp"

namespace limrisk::cli {

class ProgressDisplay {
public:
    ProgressDisplay();
    void show(const Progress& progress);
    /// The same for work of another kind: seconds since it began, the done share, and what is said behind the bar.
    void show(double seconds, double fraction, const std::string& text);
    /// Makes room for a line of its own above the progress, which the next show() draws again.
    void clear();
    /// Leaves the last state as a line of its own, so that what follows starts on a fresh line.
    void finish();

private:
    void draw(double seconds, const std::function<std::string(int columns)>& line);

    ProgressMeter meter_;
    bool terminal_;
    bool shown_ = false;
    double last_plain_line_ = 0;  ///< seconds of the run
};

}  // namespace limrisk::cli
