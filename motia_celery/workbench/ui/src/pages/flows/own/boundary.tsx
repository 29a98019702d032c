import { Component, type ReactNode } from "react";

interface BoundaryProps {
  /** What is shown in place of what threw. */
  instead: (message: string) => ReactNode;
  children: ReactNode;
}

/** Keeps an error of what is inside from the rest of the diagram. */
export class Boundary extends Component<BoundaryProps, { message: string | null }> {
  override state = { message: null };

  static getDerivedStateFromError(error: unknown) {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    const { message } = this.state;
    return message === null ? this.props.children : this.props.instead(message);
  }
}
