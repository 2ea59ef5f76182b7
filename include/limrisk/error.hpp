// The few causes of failure, each with its exit code (sysexits.h).
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

namespace limrisk {

enum class ExitCode : int {
    Done = 0,
    Usage = 64,
    Data = 65,         ///< wrong campaign or store
    Unavailable = 69,  ///< requested device not available
    Defect = 70,       ///< a defect of limrisk
    InputOutput = 74,  ///< input/output, disk full
    Busy = 75,         ///< try again later: store in use by another process, or time is up
    HungUp = 129,
    Interrupted = 130,
    Terminated = 143,
};

/// Base of all errors that limrisk throws. `what()` is complete: what was wrong, where, what would be right.
class Error : public std::runtime_error {
public:
    Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    ExitCode code() const { return code_; }

private:
    ExitCode code_;
};

/// Wrong campaign; `problems` holds every one that was found, a line each, and what() all of them.
class ConfigError : public Error {
public:
    explicit ConfigError(std::vector<std::string> problems) : Error(ExitCode::Data, joined(problems)), problems_(std::move(problems)) {}
    const std::vector<std::string>& problems() const { return problems_; }

private:
    static std::string joined(const std::vector<std::string>& problems) {
        std::string text;
        for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
        return text;
    }
    std::vector<std::string> problems_;
};

/// Wrong, damaged, foreign (Data), unwritable (InputOutput) or locked (Busy) store.
class StoreError : public Error {
public:
    using Error::Error;
};

/// A device that was asked for cannot be used.
class DeviceError : public Error {
public:
    explicit DeviceError(const std::string& message) : Error(ExitCode::Unavailable, message) {}
};

/// limrisk itself is wrong: a replay that differs, a self test that fails.
class Defect : public Error {
public:
    explicit Defect(const std::string& message) : Error(ExitCode::Defect, message) {}
};

}  // namespace limrisk
