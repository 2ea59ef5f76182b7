// Runs the built program as a user does, in a directory of its own, and sees its output, exit code and death.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace limrisk::test {

struct Output {
    int code = -1;    ///< exit code; 128 + n for death by signal n
    std::string out;  ///< stdout
    std::string err;  ///< stderr
};

/// A child process whose output goes to files in `directory`. Killed and reaped by the destructor.
class Process {
public:
    /// `words[0]` is the program; "limrisk" means the one under test.
    Process(const std::filesystem::path& directory, std::vector<std::string> words, const std::vector<std::string>& environment = {});
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();
    void send(int signal) const;
    bool running();
    /// Waits for its end.
    Output wait();
    std::string stderr_so_far() const;

private:
    void reap(int options);
    std::filesystem::path out_, err_;
    pid_t pid_ = -1;
    bool ended_ = false;
    int status_ = 0;
};

/// A fresh directory with campaign.toml in it, a small campaign of three cells that takes a fraction of a second.
class ProgramTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;
    /// Runs `limrisk` with these words to its end.
    Output limrisk(std::vector<std::string> words, const std::vector<std::string>& environment = {}) const;
    /// The same, and expects exit code 0.
    Output succeed(std::vector<std::string> words) const;
    /// Runs a line in sh, with the program's directory first on PATH.
    Output shell(const std::string& line) const;
    std::filesystem::path path(const std::string& name) const { return directory_ / name; }
    std::string read(const std::string& name) const;
    void write(const std::string& name, const std::string& text) const;
    /// A pipe of this name that is full and that nobody reads.
    void make_full_pipe(const std::string& name);
    /// All trials of a store as CSV.
    std::string exported(const std::string& store) const;
    const std::filesystem::path& directory() const { return directory_; }

private:
    std::filesystem::path directory_;
    std::vector<int> pipes_;  ///< their ends that keep them open
};

/// A campaign of three cells; `extra` goes before the first table.
std::string campaign_text(int trials, int steps, const std::string& widths = "[1, 3, 8]", const std::string& extra = "");

/// Waits until `condition` holds, at most a minute. True if it did.
template <class Condition>
bool eventually(Condition condition);

void sleep_for(std::chrono::milliseconds time);

template <class Condition>
bool eventually(Condition condition) {
    for (int i = 0; i < 6000; ++i) {
        if (condition()) return true;
        sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

}  // namespace limrisk::test
