// Shows a run's progress on stderr: one line that renews itself on a terminal, a plain line every ten seconds elsewhere.
#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "driver/progress.hpp"
#include "store/store.hpp"

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

class ReadingDisplay;
/// For MergeOptions::on_block, of these parts.
std::function<void(const std::filesystem::path& part, const BlockKey& key)> shown_blocks(ReadingDisplay& display,
                                                                                         const std::vector<std::filesystem::path>& parts);

/// How far a command is that reads the trials of a store: nothing in its first second, and none of commands that end before.
class ReadingDisplay {
public:
    /// what  is done with the trials, "summary"
    explicit ReadingDisplay(std::string what) : what_(std::move(what)) {}
    ~ReadingDisplay() { clear(); }
    ReadingDisplay(const ReadingDisplay&) = delete;
    ReadingDisplay& operator=(const ReadingDisplay&) = delete;
    /// From now on the blocks that `store` reads. The display must live as long as it reads.
    void watch(Store& store);
    /// Of so many trials the first ones are done.
    void show(std::int64_t done, std::int64_t all);
    /// Removes the line; the next show() draws it again.
    void clear() { display_.clear(); }

private:
    using Clock = std::chrono::steady_clock;
    std::string what_;
    ProgressDisplay display_;
    Clock::time_point start_ = Clock::now(), drawn_ = start_;
    std::int64_t last_done_ = 0, readings_ = 1;
};

}  // namespace limrisk::cli
