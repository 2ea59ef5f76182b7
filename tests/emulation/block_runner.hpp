// Runs the blocks of an emulated launch on one thread of the host: a fiber per lane, warp by warp from one block barrier to the next.
#pragma once
#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "device_interface.hpp"
#include "lane_fiber.hpp"

namespace limrisk::test {

/// What a launch is to run.
struct LaunchedKernel {
    std::string name;
    emulation::EnterProgram* enter;
    void (*run)(const void* arguments);
    const void* arguments;
    std::int64_t blocks;
    int threads;
    std::size_t shared_bytes;
};

class BlockRunner {
public:
    /// For the calling thread only.
    explicit BlockRunner(const LaunchedKernel& kernel);
    BlockRunner(const BlockRunner&) = delete;
    BlockRunner& operator=(const BlockRunner&) = delete;

    /// @throws Defect if the lanes of a warp or the warps of a block do not meet, or if the block wrote beyond its shared memory.
    void run(std::int64_t block);

private:
    static constexpr int warp_lanes = 32;
    static constexpr int nobody = -1;

    /// Where a lane waits. Equal for lanes that meet.
    struct Arrival {
        emulation::Meeting meeting{};
        unsigned value_bytes = 0;
        int width = 0;
        bool returned = false;
        bool operator==(const Arrival&) const = default;
        std::string text() const;
    };
    struct Lane {
        LaneFiber fiber;  // empty while it runs, and after it has returned
        StackForSanitizers stack;
        Arrival arrival;
    };
    struct Warp {
        std::array<Lane, warp_lanes> lanes;
        unsigned long long values[2][warp_lanes];  // of the last two meetings
        int first_thread = 0, size = 0;
        bool finished = false;
    };

    static const unsigned long long* meet(emulation::Meeting meeting, unsigned mask, unsigned value_bytes, int width,
                                          unsigned long long value);
    static const emulation::Emulator emulator;

    void run_all_warps();
    void run_to_barrier(Warp& warp);
    void start_lane(int lane);
    void abandon(Warp& warp);
    void resume(int lane);
    LaneFiber& fiber_of(int lane);
    StackForSanitizers& stack_of(int lane);
    void took_over(LaneFiber&& from, int lane);
    int next_lane(int lane);
    int begin_round();
    bool round_is_sound();
    [[noreturn]] void diverged(const std::string& what) const;
    std::string arrivals() const;

    LaunchedKernel kernel_;
    emulation::HostThread device_;
    std::vector<std::unique_ptr<Warp>> warps_;

    // Of the warp that runs now.
    Warp* warp_ = nullptr;
    LaneFiber scheduler_;
    StackForSanitizers scheduler_stack_;
    int leaving_ = nobody;  // whose control was given up last; nobody: the scheduler's
    int running_ = nobody;
    unsigned round_ = 0;  // meetings so far
    int first_ = 0, direction_ = 1, position_ = 0;
    std::exception_ptr error_;
    bool abandoned_ = false;  // lanes that wait are to end
};

}  // namespace limrisk::test
