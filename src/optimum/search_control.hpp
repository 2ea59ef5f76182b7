// How long a search may take, who may stop it, and who hears how far it is.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>

namespace limrisk::optimum {

struct Optimum;

/// Thrown out of a search that was asked to stop.
struct SearchStopped {};

struct SearchProgress {
    std::int64_t width = 0, largest = 0;  ///< being searched, of 0 .. largest
    double share = 0;                     ///< of the time or of the starts of this width, 0..1
};

struct SearchControl {
    double seconds = 120;             ///< at most about this long for a problem that is searched by training
    std::function<bool()> stopped{};  ///< polled some times a second; true: SearchStopped is thrown
    std::function<void(const SearchProgress&)> progress{};
    std::function<void(const Optimum&)> done{};  ///< called with each width as it is found, in their order
};

/// The time of one width.
class SearchClock {
public:
    explicit SearchClock(const SearchControl& control, double seconds = 1e9)
        : control_(control), seconds_(seconds), start_(std::chrono::steady_clock::now()) {}
    /// Throws SearchStopped.
    void poll() const {
        if (control_.stopped && control_.stopped()) throw SearchStopped{};
    }
    bool stopped() const { return control_.stopped && control_.stopped(); }
    double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
    double seconds() const { return seconds_; }
    bool over() const { return elapsed() > seconds_; }

private:
    const SearchControl& control_;
    double seconds_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace limrisk::optimum
