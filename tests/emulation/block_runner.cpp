// Lanes pass control straight to each other: the one that arrives last at a meeting checks it and begins the next round.
#include "block_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "limrisk/error.hpp"

namespace limrisk::test {
namespace {

using emulation::Meeting;

thread_local StackPool stacks;
thread_local BlockRunner* current_runner = nullptr;

constexpr unsigned char poison = 0xFF, fence = 0xA5;

/// Ends a lane whose warp goes no further.
struct Abandoned {};

}  // namespace

const emulation::Emulator BlockRunner::emulator{&BlockRunner::meet};

std::string BlockRunner::Arrival::text() const {
    static constexpr std::array<const char*, emulation::meeting_kinds> names{
        "__shfl_sync", "__shfl_xor_sync", "__shfl_up_sync", "__shfl_down_sync", "a vote", "a reduction", "__syncwarp", "__syncthreads"};
    if (returned) return "returned";
    const std::string name = names[static_cast<unsigned>(meeting)];
    return value_bytes == 0 ? "at " + name : fmt::format("at {} of {} bytes, width {}", name, value_bytes, width);
}

BlockRunner::BlockRunner(const LaunchedKernel& kernel) : kernel_(kernel), device_(kernel.enter(&emulator)) {
    *device_.grid_size = {static_cast<unsigned>(kernel.blocks), 1, 1};
    *device_.block_size = {static_cast<unsigned>(kernel.threads), 1, 1};
    scheduler_stack_.made_of_this_thread();
    std::memset(device_.dynamic_shared + kernel.shared_bytes, fence, emulation::dynamic_shared_bytes - kernel.shared_bytes);
}

void BlockRunner::run(std::int64_t block) {
    *device_.block = {static_cast<unsigned>(block), 0, 0};
    std::memset(device_.dynamic_shared, poison, kernel_.shared_bytes);
    warps_.clear();
    for (int first = 0; first < kernel_.threads; first += warp_lanes) {
        warps_.push_back(std::make_unique<Warp>());
        warps_.back()->first_thread = first;
        warps_.back()->size = std::min(warp_lanes, kernel_.threads - first);
    }
    current_runner = this;
    try {
        run_all_warps();
    } catch (...) {
        for (const auto& warp : warps_) abandon(*warp);
        throw;
    }
    const char *shared_end = device_.dynamic_shared + kernel_.shared_bytes, *end = device_.dynamic_shared + emulation::dynamic_shared_bytes;
    if (!std::all_of(shared_end, end, [](char byte) { return static_cast<unsigned char>(byte) == fence; }))
        throw Defect(fmt::format("emulated {}, block {}: wrote beyond its {} bytes of dynamic shared memory", kernel_.name, block,
                                 kernel_.shared_bytes));
}

void BlockRunner::run_all_warps() {
    for (std::size_t finished = 0; finished < warps_.size();) {
        for (const auto& warp : warps_) run_to_barrier(*warp);
        finished = static_cast<std::size_t>(std::count_if(warps_.begin(), warps_.end(), [](const auto& warp) { return warp->finished; }));
        if (finished > 0 && finished < warps_.size())
            throw Defect(
                fmt::format("emulated {}, block {}: the threads of a block diverged at a barrier: {} of {} warps returned while "
                            "the others wait at __syncthreads",
                            kernel_.name, device_.block->x, finished, warps_.size()));
    }
}

LaneFiber& BlockRunner::fiber_of(int lane) { return lane == nobody ? scheduler_ : warp_->lanes[static_cast<std::size_t>(lane)].fiber; }

StackForSanitizers& BlockRunner::stack_of(int lane) {
    return lane == nobody ? scheduler_stack_ : warp_->lanes[static_cast<std::size_t>(lane)].stack;
}

/// Returns when all lanes of the warp wait at a block barrier or have returned.
void BlockRunner::run_to_barrier(Warp& warp) {
    warp_ = &warp;
    running_ = nobody;
    const bool fresh = !warp.lanes[0].fiber;
    if (fresh)
        for (int lane = 0; lane < warp.size; ++lane) start_lane(lane);
    resume(begin_round());
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void BlockRunner::start_lane(int lane) {
    const boost::context::stack_context stack = stacks.take();
    stack_of(lane).made_of(stack, stacks);
    fiber_of(lane) = LaneFiber(std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack), PooledStack{&stacks},
                               [this, lane](LaneFiber&& from) {
                                   took_over(std::move(from), lane);
                                   try {
                                       if (!abandoned_) kernel_.run(kernel_.arguments);
                                       warp_->lanes[static_cast<std::size_t>(lane)].arrival = {.returned = true};
                                   } catch (const Abandoned&) {
                                   } catch (...) {
                                       error_ = std::current_exception();
                                   }
                                   const int next = error_ || abandoned_ ? nobody : next_lane(lane);
                                   leaving_ = lane;
                                   stack_of(lane).leave_for(stack_of(next), true);
                                   return std::move(fiber_of(next));
                               });
}

/// Ends the lanes that wait, each on its own stack.
void BlockRunner::abandon(Warp& warp) {
    warp_ = &warp;
    running_ = nobody;
    abandoned_ = true;
    for (int lane = 0; lane < warp.size; ++lane)
        if (fiber_of(lane)) resume(lane);
    abandoned_ = false;
}

/// Gives control from whoever runs to a lane, or to the scheduler; returns when it comes back.
void BlockRunner::resume(int lane) {
    const int self = running_;
    leaving_ = self;
    stack_of(self).leave_for(stack_of(lane), false);
    took_over(std::move(fiber_of(lane)).resume(), self);
}

/// `lane` has control now; `from` is what is left of the one that had it.
void BlockRunner::took_over(LaneFiber&& from, int lane) {
    stack_of(lane).came_from(stack_of(leaving_));
    fiber_of(leaving_) = std::move(from);
    running_ = lane;
    if (lane != nobody) *device_.thread = {static_cast<unsigned>(warp_->first_thread + lane), 0, 0};
}

/// Who goes on when `lane` has arrived; nobody: the warp goes no further now, or error_ says why.
int BlockRunner::next_lane(int lane) {
    if (++position_ < warp_->size) {
        const int next = lane + direction_;
        return next == warp_->size ? 0 : next < 0 ? warp_->size - 1 : next;
    }
    if (!round_is_sound()) return nobody;
    const Arrival& arrival = warp_->lanes[0].arrival;
    warp_->finished = arrival.returned;
    return arrival.returned || arrival.meeting == Meeting::BlockBarrier ? nobody : begin_round();
}

/// The lanes of a round begin elsewhere each time and go up or down, so that none can rely on the work of another before they met.
int BlockRunner::begin_round() {
    const unsigned scrambled = ++round_ * 2654435769u;
    position_ = 0;
    direction_ = scrambled >> 31 ? 1 : -1;
    first_ = static_cast<int>((scrambled >> 16 & 0x7FFF) % static_cast<unsigned>(warp_->size));
    return first_;
}

bool BlockRunner::round_is_sound() {
    const auto& lanes = warp_->lanes;
    const Arrival& expected = lanes[0].arrival;
    const auto alike = [&](const Lane& lane) { return lane.arrival == expected; };
    const bool whole = warp_->size == warp_lanes || expected.returned || expected.meeting == Meeting::BlockBarrier;
    if (whole && std::all_of(lanes.begin() + 1, lanes.begin() + warp_->size, alike)) return true;
    try {
        diverged("at a shuffle");
    } catch (...) {
        error_ = std::current_exception();
    }
    return false;
}

void BlockRunner::diverged(const std::string& what) const {
    throw Defect(fmt::format("emulated {}, block {}, warp {}: lanes of a warp diverged {}: {}", kernel_.name, device_.block->x,
                             warp_->first_thread / warp_lanes, what, arrivals()));
}

/// "lanes 0-15 at __syncwarp, lanes 16-31 returned".
std::string BlockRunner::arrivals() const {
    std::string text;
    const auto arrival_of = [&](int lane) -> const Arrival& { return warp_->lanes[static_cast<std::size_t>(lane)].arrival; };
    for (int first = 0, last = 0; first < warp_->size; first = last + 1) {
        const Arrival& arrival = arrival_of(first);
        for (last = first; last + 1 < warp_->size && arrival_of(last + 1) == arrival;) ++last;
        const std::string lanes = first == last ? fmt::format("lane {}", first) : fmt::format("lanes {}-{}", first, last);
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", lanes, arrival.text());
    }
    return warp_->size == warp_lanes ? text : text + fmt::format(", lanes {}-31 do not exist", warp_->size);
}

const unsigned long long* BlockRunner::meet(Meeting meeting, unsigned mask, unsigned value_bytes, int width, unsigned long long value) {
    BlockRunner& runner = *current_runner;
    const int lane = runner.running_;
    if (mask != 0xFFFFFFFFu) runner.diverged(fmt::format("on purpose, with mask {:#x}; limrisk's warps always meet as a whole", mask));
    if (width < 1 || width > warp_lanes || (width & (width - 1)) != 0) runner.diverged(fmt::format("at a shuffle of width {}", width));
    // Two buffers: a lane gets to the next but one meeting only after all have read what they met for.
    unsigned long long* values = runner.warp_->values[runner.round_ & 1];
    values[lane] = value;
    runner.warp_->lanes[static_cast<std::size_t>(lane)].arrival = {meeting, value_bytes, width, false};
    const int next = runner.next_lane(lane);
    if (next != lane) runner.resume(next);
    if (runner.abandoned_) throw Abandoned();
    return values;
}

}  // namespace limrisk::test
