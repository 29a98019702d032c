import { BaseNode, EventNodeProps } from 'motia/workbench'
import React from 'react'

export const Node: React.FC<EventNodeProps> = (props) => <BaseNode title="Two" {...props} />
