// A lane's thread of control, kept while another lane runs: Boost's fibers on stacks that are used again and again.
#pragma once
#include <sys/mman.h>

#include <boost/context/fiber.hpp>
#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>

#include <map>
#include <utility>
#endif

namespace limrisk::test {

/// Stacks with a page below them that ends the program when a lane needs more.
class StackPool {
public:
    static constexpr std::size_t stack_bytes = std::size_t{256} << 10, guard_bytes = std::size_t{64} << 10;

    StackPool() = default;
    StackPool(const StackPool&) = delete;
    StackPool& operator=(const StackPool&) = delete;
    ~StackPool() {
#if defined(__SANITIZE_THREAD__)
        for (const auto& [stack, fiber] : fibers_) __tsan_destroy_fiber(fiber.first);
#endif
        for (const boost::context::stack_context& stack : idle_) munmap(static_cast<char*>(stack.sp) - total_bytes, total_bytes);
    }

    boost::context::stack_context take() {
        if (!idle_.empty()) {
            const boost::context::stack_context stack = idle_.back();
            idle_.pop_back();
            return stack;
        }
        void* mapping = mmap(nullptr, total_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (mapping == MAP_FAILED) throw std::bad_alloc();
        mprotect(mapping, guard_bytes, PROT_NONE);
        boost::context::stack_context stack;
        stack.size = stack_bytes;
        stack.sp = static_cast<char*>(mapping) + total_bytes;
        return stack;
    }
    void give_back(const boost::context::stack_context& stack) { idle_.push_back(stack); }

#if defined(__SANITIZE_THREAD__)
    /// ThreadSanitizer's fiber of a stack. Making one takes a millisecond, so it stays with the stack; not for ever, since what never
    /// returns of the lanes that ended stays in its memory.
    void* thread_fiber(const boost::context::stack_context& stack) {
        auto& [fiber, uses] = fibers_[stack.sp];
        if (fiber && ++uses > 1000) __tsan_destroy_fiber(std::exchange(fiber, nullptr));
        if (!fiber) {
            fiber = __tsan_create_fiber(0);
            uses = 0;
        }
        return fiber;
    }
#endif

private:
    static constexpr std::size_t total_bytes = stack_bytes + guard_bytes;
    std::vector<boost::context::stack_context> idle_;
#if defined(__SANITIZE_THREAD__)
    std::map<void*, std::pair<void*, int>> fibers_;  // by the stack's end: fiber, uses
#endif
};

/// What boost::context::fiber asks of an allocator.
struct PooledStack {
    StackPool* pool;
    boost::context::stack_context allocate() { return pool->take(); }
    void deallocate(boost::context::stack_context& stack) noexcept { pool->give_back(stack); }
};

using LaneFiber = boost::context::fiber;

/// What the sanitizers have to know of a stack to follow a switch of fibers; nothing without them.
struct StackForSanitizers {
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    void* fake_stack = nullptr;    // AddressSanitizer's
    void* thread_fiber = nullptr;  // ThreadSanitizer's

    void made_of(const boost::context::stack_context& stack, [[maybe_unused]] StackPool& pool) {
        bottom = static_cast<char*>(stack.sp) - stack.size;
        bytes = stack.size;
#if defined(__SANITIZE_THREAD__)
        thread_fiber = pool.thread_fiber(stack);
#endif
    }
    /// The stack of the thread itself.
    void made_of_this_thread() {
#if defined(__SANITIZE_THREAD__)
        thread_fiber = __tsan_get_current_fiber();
#endif
    }
    /// Right before control goes to `other`. `for_good`: this fiber has ended.
    void leave_for([[maybe_unused]] const StackForSanitizers& other, [[maybe_unused]] bool for_good) {
#if defined(__SANITIZE_ADDRESS__)
        __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack, other.bottom, other.bytes);
#elif defined(__SANITIZE_THREAD__)
        __tsan_switch_to_fiber(other.thread_fiber, 0);
#endif
    }
    /// Right after control came from `other`, whose place is learnt by the way.
    void came_from([[maybe_unused]] StackForSanitizers& other) const {
#if defined(__SANITIZE_ADDRESS__)
        __sanitizer_finish_switch_fiber(fake_stack, &other.bottom, &other.bytes);
#endif
    }
};

}  // namespace limrisk::test
